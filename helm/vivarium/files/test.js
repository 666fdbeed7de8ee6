// One real execution, from inside the cluster: `helm test` passes if it prints what it should.
const execute = () =>
  fetch(`${process.env.SERVER}/v1/executions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: 'print(6*7)' }),
  });

/** A Service leads nowhere until a moment after its pods are ready. */
async function untilConnected(tries = 8) {
  try {
    return await execute();
  } catch (error) {
    if (tries === 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return untilConnected(tries - 1);
  }
}

const answer = await untilConnected();
const text = await answer.text();
console.log(answer.status, text);
const { status, stdout } = JSON.parse(text);
if (status !== 'succeeded' || stdout !== '42\n') process.exit(1);
