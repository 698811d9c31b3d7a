// Runs what docs/other-languages.md shows, and prints what came out, as JSON, for the test to judge.
// node contract.mjs '{"address", "picture", "ca", "cert", "key", "token"}'
import { readFileSync } from "node:fs";
import { analyze, connect, explain, stream } from "./faced.mjs";

const given = JSON.parse(process.argv[2]);
const file = (path) => (path ? readFileSync(path) : undefined);
const client = connect(given.address, { ca: file(given.ca), cert: file(given.cert), key: file(given.key) });
const { token } = given;
const picture = readFileSync(given.picture);

const failure = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    return explain(error);
  }
};
const all = async (outcomes) => {
  const found = [];
  for await (const outcome of outcomes) found.push(outcome);
  return found;
};

const result = {};
result.refused = await failure(analyze(client, picture, { token: "no such token", seconds: 10 }));
result.analysis = await analyze(client, picture, { token }).catch((error) => explain(error));
if (!result.analysis.status) {
  result.boxesOnly = await analyze(client, picture, { token, options: { attributes: { names: [] } } });
  result.noPicture = await failure(analyze(client, Buffer.from("no picture"), { token }));
  result.noAttribute = await failure(analyze(client, picture, { token, options: { attributes: { names: ["mood"] } } }));
  result.late = await failure(analyze(client, picture, { token, seconds: 0.001 }));

  let drawn = 0;
  let answered = 0;
  let ahead = 0;
  async function* frames() {
    for (const frame of [picture, picture, Buffer.from("broken"), ...Array(9).fill(picture)]) {
      drawn++;
      ahead = Math.max(ahead, drawn - answered);
      yield frame;
    }
  }
  const config = { options: { attributes: { names: ["emotion", "age"] } } };
  result.outcomes = [];
  for await (const outcome of stream(client, frames(), { config, token })) {
    answered++;
    result.outcomes.push(outcome);
  }
  result.ahead = ahead;
  result.noStream = await failure(all(stream(client, [picture], { config: { scanInterval: 5000 }, token })));
  result.thrown = await failure(all(stream(client, (function* () { throw new Error("unplugged"); })(), { token })));
  for await (const outcome of stream(client, Array(50).fill(picture), { token })) {
    result.leftAt = outcome.frameId; // leaving early ends the call
    break;
  }
}
client.close();
console.log(JSON.stringify(result));
