// What a person does on the screens: shared by the scripts that try them.
import { eventually } from "./world.mjs";

// Fills the form of a new plan and begins it; returns the address of the run.
export const begin = async (page, origin, { waves = "", impact = true, operation = "deactivate", list = "" } = {}) => {
  await page.goto(origin + "/choose");
  await page.check(`input[name=operation][value=${operation}]`);
  if (impact) await page.check("input[name=impact]");
  await page.fill("#waves", waves);
  await page.fill("#list", list);
  await page.click("text=Read the filters and plan");
  await page.waitForURL(/\/runs\/[0-9a-f]{12}$/);
  return page.url();
};

export const waiting = page => page.waitForSelector("#word0");
export const over = page => page.waitForSelector("form[action$='/undo'] button");
export const working = page => page.waitForSelector("#progress");

// Types the words that the questions name, and presses the button.
export const agree = async page => {
  await waiting(page);
  const questions = page.locator("#agree label");
  for (let at = 0; at < await questions.count(); at += 1) {
    const words = questions.nth(at).locator("code");
    await page.fill(`#word${at}`, await words.last().innerText());
  }
  await page.click("#agree button");
};

// The filters and users of a plan, from the sum that stays in view.
export const sum = async page => (await page.innerText(".sum")).replace(/,/g, "").match(/\d+/g).map(Number);
// Waits until the sum is another, and returns it.
export const nextSum = async (page, before) => {
  await eventually(async () => String(await sum(page)) !== String(before));
  return sum(page);
};
export const found = async page => Number((await page.innerText("#found-said")).replace(/,/g, "").match(/(\d+) users? found/)?.[1] ?? 0);
// Waits until as many users are found as a condition wants; the number that is there at last.
export const nextFound = async (page, holds) => {
  await eventually(async () => holds(await found(page).catch(() => -1)));
  return found(page);
};
export const names = page => page.locator("td.name").allInnerTexts();
export const click = (page, words) => page.getByRole("button", { name: words, exact: true }).click();
export const button = (page, words) => page.getByRole("button", { name: words, exact: true });
