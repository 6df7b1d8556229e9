// The program, the browser and the verdicts of the scripts that try the local page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const require = createRequire(process.env.PLAYWRIGHT_FROM + "/");
const { chromium } = require("playwright-core");

// Everything that is awaited comes within this; a loaded machine takes its time.
export const PATIENCE = 120_000;
// Bytes of a page at most, whatever the number of users.
const LARGEST_PAGE = 300_000;

let failed = [];
let passed = 0;
let part = "";
export const within = name => { part = name; console.log(`-- ${name}`); };
export const check = (what, holds, seen = "") => {
  const line = `${holds ? "ok  " : "FAIL"} ${part}: ${what} ${holds ? "" : seen}`.trimEnd();
  if (holds) passed += 1; else failed.push(line);
  console.log(line);
};
export const hasFailed = () => failed.length > 0;
// What failed, once more at the end, where it is not looked for in vain.
export const conclude = () => {
  for (const line of failed) console.log(line);
  console.log(`${passed} passed, ${failed.length} failed`);
};
// What the windows show that are open, for whoever has to find out why something did not come.
export const shown = async () => {
  const pages = (browser?.contexts() ?? []).flatMap(window => window.pages());
  const texts = pages.map(async page => {
    const text = await page.locator("main").innerText({ timeout: 1_000 }).catch(error => error.message);
    return `${page.url()}: ${text.replace(/\s+/g, " ").slice(0, 600)}`;
  });
  return (await Promise.all(texts)).join("\n");
};

// What was found so far, and back to that: a part that fails is tried once more, since a machine that is busy with other
// work shows some things too late. What fails twice has failed.
export const found = () => ({ failed: [...failed], lengths: Object.values(all).map(list => list.length) });
export const backTo = ({ failed: before, lengths }) => {
  failed = before;
  Object.values(all).forEach((list, at) => { list.length = lengths[at]; });
  for (const process_ of started) process_.kill("SIGKILL");
};

// Calls until the result is true; false when it never is.
export const eventually = async holds => {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    if (await holds()) return true;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return false;
};

const homes = [];
const started = new Set();
export const newHome = () => {
  const home = mkdtempSync(join(tmpdir(), "syncfilters-page-"));
  homes.push(home);
  return home;
};

// Starts the program, and waits for the first line in which there is an address.
export const start = async (args, { home = newHome(), more = {} } = {}) => {
  const { SYNCFILTERS_CONFIG, SYNCFILTERS_ENVIRONMENT, SYNCFILTERS_URL, SYNCFILTERS_ACCESS_TOKEN, ...env } = process.env;
  const own = { HOME: home, XDG_CONFIG_HOME: join(home, "config"), XDG_STATE_HOME: join(home, "state"), ...more };
  const process_ = spawn(process.env.SYNCFILTERS, args, { env: { ...env, ...own }, stdio: ["ignore", "pipe", "pipe"] });
  started.add(process_);
  const ended = once(process_, "exit").finally(() => started.delete(process_));
  let said = "";
  process_.stderr.on("data", text => { said += text; });
  const lines = createInterface({ input: process_.stdout });
  let url;
  for await (const line of lines) {
    url = line.match(/http:\/\/\S+/)?.[0];
    if (url) break;
  }
  if (!url) throw new Error(`${args.join(" ")} printed no address: ${said}`);
  process_.stdout.resume();
  const end = async signal => {
    process_.kill(signal);
    return (await ended)[0];
  };
  return { url, origin: new URL(url).origin, port: Number(new URL(url).port), ended, end, home, pid: process_.pid, said: () => said };
};

// A sandbox of its own, and the variables that lead to it.
export const startSandbox = async args => {
  const server = await start(["sandbox", "--port", "0", ...args]);
  return { ...server, variables: { SYNCFILTERS_URL: server.url, SYNCFILTERS_ACCESS_TOKEN: "sandbox-administrator" } };
};

let browser;
const all = { console: [], refused: [], elsewhere: [], large: [] };

// A window of a browser. What it complains about, fetches from elsewhere, or finds large is kept for `judgeAll`.
// `refusals` are the answers that are meant, or what a browser says where there is none: it complains of each.
export const openWindow = async (origin, options = {}, refusals = []) => {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  const window = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  window.setDefaultTimeout(PATIENCE);
  window.on("console", message => {
    const isMeant = refusals.some(meant => message.text().includes(typeof meant === "number" ? `status of ${meant}` : meant));
    if (["error", "warning"].includes(message.type()) && !isMeant) all.console.push(`${message.text()} at ${message.page()?.url()}`);
  });
  window.on("weberror", error => all.console.push(error.error().message));
  window.on("request", request => {
    if (!request.url().startsWith(origin + "/")) all.elsewhere.push(request.url());
  });
  window.on("response", async response => {
    if (response.status() >= 400 && !refusals.includes(response.status())) {
      const text = await response.text().catch(() => "");
      all.refused.push(`${response.request().method()} ${response.url()} ${response.status()} ${text.match(/<strong>(.*?)<\/strong>/s)?.[1] ?? ""}`);
    }
    const length = Number(response.headers()["content-length"] ?? 0);
    const isFile = response.headers()["content-disposition"];
    if (length > LARGEST_PAGE && !isFile) all.large.push(`${response.url()} ${length}`);
  });
  return window;
};

// Opens the address that was printed, which leads in once; gives a window that is in, and the cookies for others.
export const letIn = async program => {
  const window = await openWindow(program.origin);
  const page = await window.newPage();
  await page.goto(program.url);
  await page.waitForSelector("h1");
  return { window, page, state: await window.storageState() };
};

export const judgeAll = () => {
  within("everywhere");
  check("no error, no warning and no refusal of the policy on the console", all.console.length === 0, all.console.slice(0, 5).join("; "));
  check("nothing that a screen asks for is refused", all.refused.length === 0, all.refused.slice(0, 5).join("; "));
  check("nothing is fetched from elsewhere", all.elsewhere.length === 0, all.elsewhere.join(" "));
  check("no page and no part above 300 KB", all.large.length === 0, all.large.join("; "));
};

export const endAll = async () => {
  await browser?.close();
  for (const process_ of started) process_.kill("SIGKILL");
  for (const home of homes) rmSync(home, { recursive: true, force: true });
};
