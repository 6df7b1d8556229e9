// A run that is paused, stopped, left, killed and gone on with: over a sandbox in a process of its own.
import { check, eventually, letIn, start, startSandbox, within } from "./world.mjs";
import { agree, begin, button, click, over, sum, waiting, working } from "./screens.mjs";

const counted = async page => Number((await page.locator("#progress .tile b").first().innerText()).replace(/\D.*$/s, ""));
// The users of a run that are done, as its page tells them without being followed.
const changed = async page => Number((await page.innerText("main")).replace(/,/g, "").match(/(\d+) changed/)?.[1] ?? 0);

const reads = async (page, origin) => {
  within("reading");
  const run = await begin(page, origin, { waves: "5,rest", impact: false });
  await working(page);
  await page.reload();
  await working(page);
  check("a reload in the middle shows it again", page.url() === run);
  await click(page, "Pause");
  await button(page, "Continue").waitFor();
  check("it can be paused", true);
  await page.reload();
  check("and is paused after a reload", await button(page, "Continue").isVisible());
  await click(page, "Continue");
  await waiting(page);
  return run;
};

const twoTabs = async (window, run) => {
  within("two tabs");
  let [one, other] = [await window.newPage(), await window.newPage()];
  await Promise.all([one.goto(run), other.goto(run)]);
  await Promise.all([waiting(one), waiting(other)]);
  const before = await sum(one);
  await one.locator("input[name=in]").first().uncheck();
  await eventually(async () => (await sum(one))[1] === before[1] - 1);
  await agree(other);
  await other.waitForSelector("[role=alert]");
  check("what one tab narrowed cannot be agreed to in the other as it was", (await sum(other))[1] === before[1] - 1, await other.innerText("[role=alert]"));
  await one.close();
  await agree(other);
  await other.waitForSelector("text=Wave 2");
  await other.close();
  one = await window.newPage();
  await one.goto(run);
  check("a tab that was closed changes nothing", /Wave 2/.test(await one.innerText("#agree")));
  return one;
};

const works = async (window, page, run) => {
  within("working");
  await agree(page);
  await working(page);
  const other = await window.newPage();
  await other.goto(run);
  await working(other);
  check("a second tab shows the same work", await other.locator("#progress .tile").count() > 0);
  await click(page, "Pause");
  await button(page, "Continue").waitFor();
  check("one tab pauses, the other says so", await eventually(async () => /paus/i.test(await other.innerText("#progress"))), await other.innerText("#progress"));
  await eventually(async () => /\bpaused/i.test(await page.innerText("#progress")));
  const [first] = [await counted(page)];
  await page.reload();
  check("paused, it counts no further", await counted(page) === first, `${first} ${await counted(page)}`);
  await click(page, "Continue");
  await button(page, "Pause").waitFor();
  check("and continued it does", await eventually(async () => await button(page, "Pause").count() === 0 || await counted(page) > first));
  await click(other, "Stop");
  await button(other, "Resume").waitFor();
  await button(page, "Resume").waitFor();
  check("stopped in one tab, both offer to resume", true);
  const done = await changed(page);
  check("with a part of the users done", done > 5, done);
  await other.close();
  return done;
};

const resume = async page => {
  await click(page, "Resume");
  // A run that goes on asks again; until then it is shown as working.
  await agree(page);
  await working(page);
};

const driven = async (sandbox, program, run, page) => {
  within("two programs");
  await resume(page);
  // It is not to be over before the second one asks.
  await click(page, "Pause");
  await button(page, "Continue").waitFor();
  const second = await start(["ui", "--no-open", "--port", "0"], { home: program.home, more: sandbox.variables });
  const there = await letIn(second);
  await there.page.goto(second.origin + new URL(run).pathname);
  const offer = there.page.getByRole("button", { name: /Resume|Compare/ });
  if (await offer.count()) {
    await offer.first().click();
    await there.page.waitForSelector("[role=alert]");
  }
  const said = await there.page.innerText("main");
  check("a second program does not drive the same run", await there.page.locator("#agree, form[action$='/pause']").count() === 0, said.slice(0, 200));
  check("and says why", /another|in use|driven|under way|process/i.test(said), said.slice(0, 300));
  await page.reload();
  check("the first still drives it", await button(page, "Continue").isVisible());
  await there.window.close();
  check("the second ends when it is asked to", await second.end("SIGINT") === 0);
};

const killed = async (sandbox, program, run, [before, tab]) => {
  within("killed");
  // In the middle of its work, whatever the machine was busy with before.
  const paused = await counted(tab);
  await click(tab, "Continue");
  await button(tab, "Pause").waitFor();
  check("it works on", await eventually(async () => await counted(tab) > paused));
  // The page that follows a run loses it here, and would ask for it again.
  await before.close();
  await program.end("SIGKILL");
  const next = await start(["ui", "--no-open", "--port", "0"], { home: program.home, more: sandbox.variables });
  const { window, page } = await letIn(next);
  await page.goto(next.origin + "/runs");
  await page.locator("table.list tbody a").first().click();
  await page.waitForURL(next.origin + new URL(run).pathname);
  await button(page, "Resume").waitFor();
  check("a new start finds the run", true);
  const done = await changed(page);
  await resume(page);
  check("and resumes it", true);
  await page.waitForSelector("form[action$='/undo'] button", { timeout: 300_000 });
  const all = Number((await page.innerText("main")).replace(/,/g, "").match(/switched off for (\d+) of/)?.[1] ?? 0);
  check("to its end", await button(page, "Resume").count() === 0 && all > done, `${done} ${all}`);
  within("ended by Ctrl-C");
  await click(page, "Undo");
  await agree(page);
  await working(page);
  await window.close();
  const code = await next.end("SIGINT");
  check("the program ends as a command does", code === 130, `${code} ${next.said()}`);
  check("and says how to go on", /resume/.test(next.said()), next.said());
};

export const interrupted = async () => {
  // Some 70 seconds of work, so that it is not over before it is paused, on a machine that is slow as well.
  const sandbox = await startSandbox(["--users", "1200", "--latency", "120", "--hint", "4"]);
  const program = await start(["ui", "--no-open", "--port", "0"], { more: sandbox.variables });
  const { window, page } = await letIn(program);
  const run = await reads(page, program.origin);
  await page.close();
  const tab = await twoTabs(window, run);
  await works(window, tab, run);
  await driven(sandbox, program, run, tab);
  await killed(sandbox, program, run, [window, tab]);
};
