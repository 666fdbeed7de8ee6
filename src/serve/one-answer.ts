/**
 * An answer in MCP as one JSON body instead of an event stream, for clients that read nothing else. What comes before the
 * result, such as progress, is left out.
 */
export async function asOneAnswer(response: Response): Promise<Response> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
  const answers = answersIn(await response.text());
  return Response.json(answers.length === 1 ? answers[0] : answers, { status: response.status });
}

/** The results and errors in an event stream of JSON-RPC, one line of data each. */
function answersIn(stream: string): unknown[] {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)) as object)
    .filter((message) => 'result' in message || 'error' in message);
}
