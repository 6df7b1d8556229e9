// How each screen looks: at three widths, in light and dark, and by the rules of WCAG 2.2 AA as axe-core knows them.
import { check, eventually, letIn, openWindow, require, start, startSandbox, within } from "./world.mjs";
import { agree, begin, button, click, over, waiting, working } from "./screens.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const axe = async page => {
  await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
  const { violations } = await page.evaluate(rules => globalThis.axe.run({ runOnly: { type: "tag", values: rules } }), RULES);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(node => node.target).join(", ")}`);
};

// Judges what a page shows now. It is told apart by its name, which is also that of its pictures.
const look = async (page, name, pictures, hasColours = true) => {
  within(`looks: ${name}`);
  for (const width of [1280, 768, 390]) {
    await page.setViewportSize({ width, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(`nothing is wider than ${width} pixels`, wide <= 0, `by ${wide}`);
    if (pictures) await page.screenshot({ path: `${pictures}/${name}-${width}.png` });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const found = await axe(page);
    check(`axe finds nothing in ${colorScheme}`, found.length === 0, found.join("; "));
    const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
    if (hasColours) check(`${colorScheme} is ${colorScheme}`, colour.every(part => colorScheme === "dark" ? part < 60 : part > 200), colour);
  }
  if (pictures) await page.screenshot({ path: `${pictures}/${name}-dark.png` });
  await page.emulateMedia({ colorScheme: "light" });
};

const forReadme = async (page, pictures, name) => {
  if (!pictures) return;
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${pictures}/${name}.png` });
};

export const looks = async pictures => {
  const sandbox = await startSandbox(["--users", "300", "--latency", "150", "--hint", "6"]);
  const program = await start(["ui", "--no-open", "--port", "0"], { more: sandbox.variables });
  const { window: first, state } = await letIn(program);
  // Only this window takes scripts from elsewhere: axe-core is one.
  // A browser asks for an icon of the last page, too, when the program may be gone.
  const window = await openWindow(program.origin, { bypassCSP: true, storageState: state }, ["ERR_CONNECTION_REFUSED"]);
  await first.close();
  const page = await window.newPage();
  const show = async (path, name) => {
    await page.goto(program.origin + path);
    await look(page, name, pictures);
  };
  await show("/", "environments");
  await page.click("text=Check this environment");
  await page.waitForSelector("text=Check again");
  await look(page, "check", pictures);
  await show("/runs", "no-runs");
  await show("/choose", "choose");
  await page.fill("#list", "nobody@contoso.example");
  await click(page, "Count the users");
  await eventually(async () => /nobody/.test(await page.innerText("#count")));
  await look(page, "choose-counted", pictures);
  await page.fill("#waves", "some");
  await page.click("text=Read the filters and plan");
  await page.waitForSelector("[role=alert]");
  await look(page, "choose-refused", pictures);
  await begin(page, program.origin, { waves: "5,rest" });
  await click(page, "Pause");
  await button(page, "Continue").waitFor();
  await look(page, "reading", pictures);
  await click(page, "Continue");
  await waiting(page);
  await look(page, "plan-screen", pictures);
  await forReadme(page, pictures, "plan");
  await page.fill("#word0", "yes");
  await page.click("#agree button");
  await page.waitForSelector("[role=alert]");
  await look(page, "plan-refused", pictures);
  const run = page.url();
  await click(page, "Quit");
  await button(page, "Quit and leave the run").waitFor();
  await look(page, "quit", pictures);
  await page.goto(run);
  await agree(page);
  await page.waitForSelector("text=Wave 2");
  await look(page, "wave", pictures);
  await agree(page);
  await working(page);
  await eventually(async () => /[1-9]/.test(await page.locator("#progress .tile b").first().innerText()));
  await forReadme(page, pictures, "run");
  await click(page, "Pause");
  await button(page, "Continue").waitFor();
  await look(page, "working", pictures);
  await click(page, "Stop");
  await button(page, "Resume").waitFor();
  await look(page, "stopped", pictures);
  await click(page, "Resume");
  await agree(page);
  await over(page);
  await look(page, "over", pictures);
  await show("/runs", "runs");
  const lost = await openWindow(program.origin, { bypassCSP: true, storageState: state }, [400, 404]);
  const absent = await lost.newPage();
  await absent.goto(program.origin + "/runs/0123456789ab");
  await look(absent, "absent-run", pictures);
  await lost.close();
  const stranger = await openWindow(program.origin, { bypassCSP: true }, [403]);
  const outside = await stranger.newPage();
  await outside.goto(program.origin + "/");
  await look(outside, "not-let-in", pictures, false);
  await stranger.close();
  await page.goto(program.origin + "/");
  await click(page, "Quit");
  await page.waitForSelector("text=syncfilters ui has stopped");
  within("looks: ended");
  const found = await axe(page);
  check("axe finds nothing", found.length === 0, found.join("; "));
};
