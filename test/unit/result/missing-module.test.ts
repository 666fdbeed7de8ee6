import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingModuleHint, type Packages } from '../../../src/result/missing-module.ts';
import { distributions, misnomers, wellKnown } from '../../../src/result/modules.ts';

const installed = [
  { name: 'beautifulsoup4', version: '4.13.4', modules: ['bs4'] },
  { name: 'matplotlib', version: '3.10.6', modules: ['matplotlib', 'mpl_toolkits', 'pylab'] },
  { name: 'numpy', version: '2.3.2', modules: ['numpy'] },
  { name: 'pandas', version: '2.3.2', modules: ['pandas'] },
  { name: 'pillow', version: '11.3.0', modules: ['PIL'] },
  { name: 'PyYAML', version: '6.0.2', modules: ['_yaml', 'yaml'] },
  { name: 'scikit-learn', version: '1.7.1', modules: ['sklearn'] },
];

const packages: Packages = { installed, required: [], mayRequire: (name) => name !== 'torch' };

const add = (name: string) => `Add "${name}" to requirements.`;

const table: [module: string, hint: string, changes?: Partial<Packages>][] = [
  // Other names.
  ['cv2', add('opencv-python-headless')],
  ['skimage.io', add('scikit-image')],
  [
    'google',
    'No package is known by the import name "google": if you know the package, name it in requirements.',
  ],
  ['google.protobuf', add('protobuf')],
  ['google.cloud.storage.blob', add('google-cloud-storage')],
  ['docx', add('python-docx')],
  ['fitz', add('pymupdf')],
  ['psycopg2', add('psycopg2-binary')],
  ['sklearn', add('scikit-learn'), { installed: [] }],
  ['yaml', add('pyyaml'), { installed: [] }],
  // Its own.
  ['polars', add('polars')],
  ['lxml.etree', add('lxml')],
  ['flask_cors', add('flask-cors')],
  ['PyPDF2', add('pypdf2')],
  // There by another name, or in part.
  ['pillow', 'pillow is installed: import PIL.'],
  ['scikit_learn', 'scikit-learn is installed: import sklearn.'],
  ['beautifulsoup4', 'beautifulsoup4 is installed: import bs4.'],
  ['BeautifulSoup', 'beautifulsoup4 is installed: import bs4.'],
  ['pyyaml', 'PyYAML is installed: import yaml.'],
  [
    'sklearn.cross_validation',
    'scikit-learn 1.7.1 is installed and has no module sklearn.cross_validation: other versions may.',
  ],
  ['python_docx', `${add('python-docx')} Then import docx.`],
  ['opencv', `${add('opencv-python-headless')} Then import cv2.`],
  // Required already, or not to be required.
  [
    'docx',
    '"python-docx" is among the requirements, and has no module docx in this version.',
    { required: ['Python_Docx[x]>=1'] },
  ],
  [
    'torch',
    '"torch" is not installed, and cannot be required on this server: list_packages says what is there.',
  ],
  [
    'foo',
    'Nothing that is installed here has a module "foo": list_packages says what is.',
    { mayRequire: () => false },
  ],
  // Of another Python.
  [
    'distutils.core',
    'distutils is not in Python 3.12 and later: use sysconfig, shutil or subprocess in its place.',
  ],
  ['telnetlib', 'telnetlib is not in Python 3.13 and later: use socket in its place.'],
  ['urllib2', 'urllib2 is not in Python 3 and later: use urllib.request in its place.'],
  // Misspelt.
  ['numpi', 'Did you mean numpy?'],
  ['nupmy', 'Did you mean numpy?'],
  ['pandsa.io', 'Did you mean pandas?'],
  ['pil', 'Did you mean PIL?'],
  ['Numpy', 'numpy is installed: import numpy.'],
  ['jsn', 'Did you mean json?'],
  ['collection', 'Did you mean collections?'],
  ['polras', `Did you mean polars? ${add('polars')}`],
  ['sklaern', 'Did you mean sklearn?'],
  [
    'trch',
    'Did you mean torch? "torch" is not installed, and cannot be required on this server: list_packages says what is there.',
  ],
  // Unknown.
  [
    'zzzzzz',
    'No package is known by the import name "zzzzzz": if you know the package, name it in requirements.',
  ],
  [
    'constructor',
    'No package is known by the import name "constructor": if you know the package, name it in requirements.',
  ],
];

describe('missingModuleHint', () => {
  for (const [module, hint, changes] of table) {
    it(`${module.slice(0, 40)}: ${hint.slice(0, 60)}`, () => {
      assert.equal(missingModuleHint(module, { ...packages, ...changes }), hint);
    });
  }
});

describe('the tables of modules', () => {
  it('name distributions as PEP 503 does', () => {
    for (const name of Object.values(distributions)) assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it('name each module once', () => {
    const all = [...Object.keys(distributions), ...wellKnown];
    assert.deepEqual(
      all.filter((name, index) => all.indexOf(name) !== index),
      [],
    );
  });

  it('lead from a misnomer to a module that is known', () => {
    for (const module of Object.values(misnomers)) assert.ok(Object.hasOwn(distributions, module), module);
  });
});
