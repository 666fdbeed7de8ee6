// One real execution, from inside the cluster: `helm test` passes if it prints what it should.
const answer = await fetch(`${process.env.SERVER}/v1/executions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code: 'print(6*7)' }),
});
const text = await answer.text();
console.log(answer.status, text);
const { status, stdout } = JSON.parse(text);
if (status !== 'succeeded' || stdout !== '42\n') process.exit(1);
