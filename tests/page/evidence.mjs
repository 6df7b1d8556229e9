// Opens a run's page in a real Chromium: at three widths, in light and dark, on paper.
// Called by `.ci/page` with the page, and with NODE_PATH where playwright-core is.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.PLAYWRIGHT_FROM + "/");
const { chromium } = require("playwright-core");
const [file, pictures] = process.argv.slice(2);

let failed = 0;
const check = (what, holds, seen = "") => {
  if (!holds) failed += 1;
  console.log(`${holds ? "ok  " : "FAIL"} ${what} ${seen}`);
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const open = async (width, height, options = {}) => {
  const page = await browser.newPage({ viewport: { width, height }, ...options });
  page.on("pageerror", error => check("no error of the script", false, error.message));
  page.on("request", request => {
    if (!request.url().startsWith("file:")) check("nothing is fetched", false, request.url());
  });
  await page.goto(pathToFileURL(file).href);
  return page;
};
const picture = async (page, name) => pictures && page.screenshot({ path: `${pictures}/${name}.png` });
// What is painted where the middle of an element is.
const isOnTop = locator => locator.evaluate(element => {
  const { x, y, width, height } = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
});
const bottom = locator => locator.evaluate(element => element.getBoundingClientRect().bottom);

for (const width of [1280, 768, 390]) {
  const page = await open(width, 800);
  const at = `at ${width} pixels:`;
  check(`${at} nothing is wider than the screen`, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  check(`${at} the headline says for how many users`, /for [\d,]+ of [\d,]+ users/.test(await page.locator("h1").innerText()));
  check(`${at} four figures`, (await page.locator(".tile").count()) === 4);
  await picture(page, `first-${width}`);
  if (width === 1280) {
    const states = await bottom(page.locator(".states").first());
    check(`${at} figures and the states by type are on the first screen`, states <= 800, `end at ${Math.round(states)}`);
    const problems = await page.locator(".groups tbody tr, .groups tr").nth(1).evaluate(row => row.getBoundingClientRect().bottom);
    check(`${at} the first problem with what to do is on it too`, problems <= 800, `ends at ${Math.round(problems)}`);
    const warning = await bottom(page.locator(".beside li").first());
    check(`${at} and the first warning`, warning <= 800, `ends at ${Math.round(warning)}`);
  }

  const [search, output] = [page.locator("input[type=search]"), page.locator("output")];
  const users = await page.locator(".user").count();
  const all = (await output.innerText()).replace(/,/g, "");
  check(`${at} the field says how many there are`, all === `${users} users`, all);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight * 0.8));
  await page.waitForTimeout(100);
  check(`${at} the field stays on top after scrolling`, await isOnTop(search));
  await search.click({ timeout: 5000 });
  const name = await page.locator(".user b").nth(users - 1).textContent();
  await search.fill(name);
  await page.waitForFunction(of => !document.querySelector("output").textContent.startsWith(of), String(users));
  const found = await page.locator(".user:not([hidden])").count();
  check(`${at} a search finds the user`, found >= 1 && found < users, `${found} of ${users}`);
  check(`${at} and says how many were found`, (await output.innerText()).startsWith(`${found} of `));
  await search.fill("");
  await page.locator("select").selectOption("failed");
  const failing = await page.locator(".user:not([hidden])").count();
  check(`${at} the filter leaves the failed`, failing === (await page.locator(".user.failed").count()));
  await page.locator("select").selectOption("changed");
  const first = page.locator(".user.changed").first();
  await first.locator("summary").click();
  check(`${at} a user opens and shows the changes`, await first.locator(".changes").isVisible());
  check(`${at} nothing is wider than the screen with it`, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.close();
}

const dark = await open(1280, 800, { colorScheme: "dark" });
const colour = await dark.evaluate(() => getComputedStyle(document.body).backgroundColor);
check("dark mode is dark", colour.match(/\d+/g).every(part => Number(part) < 60), colour);
await picture(dark, "first-dark");
await dark.close();

// Four colours that are told apart in grey: by their brightness, or by an empty box.
for (const colorScheme of ["light", "dark"]) {
  const page = await open(1280, 800, { colorScheme });
  const bright = await page.evaluate(() => ["a", "i", "g"].map(kind => {
    const [r, g, b] = getComputedStyle(document.querySelector(`.key.${kind}`)).backgroundColor.match(/\d+/g)
      .map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }));
  const contrasts = [[0, 1], [0, 2], [1, 2]].map(([one, other]) => {
    const [low, high] = [bright[one], bright[other]].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  });
  check(`${colorScheme}: colours differ in grey`, contrasts.every(contrast => contrast >= 1.3), contrasts.map(c => c.toFixed(2)).join(" "));
  await page.close();
}

const paper = await open(1280, 800);
const pages = async () => ((await paper.pdf({ format: "A4" })).toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
const summary = await pages();
await paper.locator("input[type=checkbox]").check();
const everybody = await pages();
check("a print is the summary", summary <= 6, `${summary} pages`);
check("unless all users are chosen", everybody > summary, `${everybody} pages`);

const bare = await browser.newPage({ javaScriptEnabled: false });
await bare.goto(pathToFileURL(file).href);
check("without scripts every user is there", (await bare.locator(".user").count()) > 0 && await bare.locator(".user").first().isVisible());
check("and no field that does nothing", !(await bare.locator("input[type=search]").isVisible()));
await browser.close();
process.exit(failed ? 1 : 0);
