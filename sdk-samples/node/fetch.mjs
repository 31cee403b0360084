#!/usr/bin/env node
// Fetches a secret from Keyturn with Node's standard library:  node fetch.mjs ASSET ACCOUNT [--show]
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { createInterface } from "node:readline";

const ROUTE = "/api/v1/accounts/integration-applications/account-secret/";

class Refused extends Error {
  constructor(status, code) {
    super(`status ${status}, code ${code}`);
  }
}

// 1. Load credentials.
function load(environment) {
  for (const name of ["KEYTURN_URL", "KEYTURN_KEY_ID", "KEYTURN_KEY_SECRET"]) {
    if (!environment[name]) throw new Error(`${name} is not set`);
  }
  if (!environment.KEYTURN_URL.startsWith("https://")) throw new Error("KEYTURN_URL must begin with https://");
  return {
    url: new URL(environment.KEYTURN_URL),
    keyID: environment.KEYTURN_KEY_ID,
    secret: environment.KEYTURN_KEY_SECRET,
    organization: environment.KEYTURN_ORG || "00000000-0000-0000-0000-000000000002",
    ca: environment.KEYTURN_CA ? readFileSync(environment.KEYTURN_CA) : undefined,
  };
}

// 2. Sign the request exactly as it is sent.
function signedHeaders(credentials, target) {
  const date = new Date().toUTCString();
  const text = [
    `(request-target): get ${target}`,
    "accept: application/json",
    `date: ${date}`,
    `x-jms-org: ${credentials.organization}`,
  ].join("\n");
  const signature = createHmac("sha256", credentials.secret).update(text).digest("base64");
  return {
    Accept: "application/json",
    Date: date,
    "X-JMS-ORG": credentials.organization,
    "X-Source": "jms-pam",
    Authorization:
      `Signature keyId="${credentials.keyID}",algorithm="hmac-sha256",` +
      `headers="(request-target) accept date x-jms-org",signature="${signature}"`,
  };
}

// 3. Fetch one secret.
function fetchSecret(credentials, asset, account) {
  const query = `asset=${encodeURIComponent(asset)}&account=${encodeURIComponent(account)}`;
  const target = `${credentials.url.pathname.replace(/\/+$/, "")}${ROUTE}?${query}`;
  const options = { path: target, headers: signedHeaders(credentials, target), ca: credentials.ca, timeout: 10_000 };
  return new Promise((resolve, reject) => {
    const call = request(credentials.url, options, (response) => {
      const chunks = [];
      response.on("error", reject);
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        let answer = {};
        try {
          answer = JSON.parse(Buffer.concat(chunks).toString("utf8"));
        } catch {
          // Not JSON: the status says enough.
        }
        if (response.statusCode === 200) resolve(answer);
        else reject(new Refused(response.statusCode, answer.code ?? "none"));
      });
    });
    call.on("timeout", () => call.destroy(new Error("no answer in time")));
    call.on("error", reject);
    call.end();
  });
}

function describe({ secret, version }, isShown) {
  const digest = createHash("sha256").update(secret).digest("hex").slice(0, 8);
  console.log(`fetched: version ${version}, ${[...secret].length} characters, sha256 ${digest}`);
  if (isShown) console.log(secret);
}

async function main([asset, account, option]) {
  if (!asset || !account) throw new Error("usage: fetch.mjs ASSET ACCOUNT [--show]");
  const credentials = load(process.env);
  const isShown = option === "--show";
  const first = await fetchSecret(credentials, asset, account);
  describe(first, isShown);

  // 4. A refusal is an answer like any other.
  await fetchSecret(credentials, asset, "no-such-account").catch((error) => {
    if (!(error instanceof Refused)) throw error;
    console.log(`refused: ${error.message}`);
  });

  // 5. Nothing is cached: the next fetch sees the new secret.
  console.log("change the secret now, then press Enter");
  const input = createInterface({ input: process.stdin });
  await new Promise((resolve) => input.once("line", resolve).once("close", resolve));
  input.close();
  const second = await fetchSecret(credentials, asset, account);
  describe(second, isShown);
  console.log(`changed: ${second.version !== first.version ? "yes" : "no"}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`failed: ${error.message}`);
  process.exitCode = 1;
});
