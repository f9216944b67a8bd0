// Verifies deliveries with the official library: lines of {"secret", "headers", "body"} on standard input.
// Run in a folder where the package is installed; its number of accepted deliveries goes to standard output.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const { Webhook } = createRequire(process.cwd() + "/")("standardwebhooks");
const lines = readFileSync(0, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
for (const { secret, headers, body } of lines) new Webhook(secret).verify(body, headers);
console.log(lines.length);
