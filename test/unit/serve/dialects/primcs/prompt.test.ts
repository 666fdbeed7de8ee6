import assert from 'node:assert/strict';
import { it } from 'node:test';
import { promptText } from '../../../../../src/serve/dialects/primcs/prompt.ts';

it('the prompt holds the task and the files, and the tags of an answer', () => {
  const text = promptText('  Count the rows. ', ['a.csv', 'b/c.csv']);
  assert.match(text, /<task>\nCount the rows\.\n<\/task>/);
  assert.match(text, /<mounted_files>\na\.csv\nb\/c\.csv\n<\/mounted_files>/);
  for (const tag of ['python_code', 'requirements', 'files'])
    assert.match(text, new RegExp(`<${tag}>\n[^<]*</${tag}>`));
});
