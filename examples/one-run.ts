/** One execution through an MCP client. `node examples/one-run.ts URL` */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const code = `import platform, sys
print("Hello from Python", platform.python_version())
print("6 * 7 =", 6 * 7)
print("and a word on stderr", file=sys.stderr)
`;

export async function showOneRun(url: string): Promise<void> {
  const client = new Client({ name: 'vivarium-example', version: '0.1.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  try {
    const request = { name: 'run_code', arguments: { code } };
    console.log(`\n--> tools/call ${JSON.stringify(request, null, 2)}`);
    const result = await client.callTool(request);
    console.log(`\n<-- ${JSON.stringify(result.structuredContent, null, 2)}`);
    for (const block of result.content) if (block.type === 'text') console.log(`\n${block.text}`);
  } finally {
    await client.close();
  }
}

if (import.meta.main) await showOneRun(process.argv[2] ?? 'http://127.0.0.1:8000/mcp');
