// A run from the choice of users to its undo, with scripts.
import { readFile } from "node:fs/promises";
import { check, eventually, letIn, start, within } from "./world.mjs";
import { agree, begin, button, click, found, names, nextFound, nextSum, over, sum, waiting } from "./screens.mjs";

const chooses = async (page, origin) => {
  within("choosing");
  await page.goto(origin + "/");
  check("the address has no token any more", !page.url().includes("token"), page.url());
  await page.click("text=Check this environment");
  await page.waitForSelector("text=Check again");
  check("a check shows its rows", (await page.locator("tr.ok, tbody tr").count()) > 3);
  await page.click("text=Choose users");
  await page.waitForURL("**/choose?environment=*");
  await click(page, "Count the users");
  check("users are counted", await eventually(async () => /\d+ users/.test(await page.innerText("#count"))));
  const everybody = await page.innerText("#count");
  await page.fill("#list", "nobody.of.this.name@contoso.example");
  await page.locator("#except").focus();
  check("a name that nobody has is said when the form changes", await eventually(async () => /nobody\.of\.this\.name/.test(await page.innerText("#count"))), everybody);
  await page.fill("#list", "");
  await page.click("text=By role, team, business unit or view");
  await page.fill("#units", "Nordics");
  await page.locator("#except").focus();
  check("a business unit makes the count smaller", await eventually(async () => /^\d+ users/.test(await page.innerText("#count")) && await page.innerText("#count") !== everybody));
  await page.goto(origin + "/choose");
  await page.fill("#waves", "5,many");
  await page.click("text=Read the filters and plan");
  await page.waitForSelector("[role=alert]");
  check("bad waves are refused, in the form", /waves/.test(await page.innerText("[role=alert]")) && await page.inputValue("#waves") === "5,many");
  await page.setInputFiles("#file", { name: "users.csv", mimeType: "text/csv", buffer: Buffer.from("user\nnobody@contoso.example\n") });
  await page.fill("#waves", "");
  await page.click("text=Read the filters and plan");
  check("a file with a name that nobody has becomes no plan, and the name is said", await eventually(async () => /nobody@contoso\.example/.test(await page.innerText("main"))));
};

const searches = async (page, run) => {
  within("the users of a plan");
  await page.goto(run);
  await waiting(page);
  const everybody = await found(page);
  const search = page.locator("input[type=search]");
  await search.fill("anna");
  const some = await nextFound(page, number => number > 0 && number < everybody);
  check("a search finds some", some > 0 && some < everybody, some);
  check("whose names have it", (await names(page)).every(name => name.toLowerCase().includes("anna")));
  await search.fill("no such user");
  await page.waitForSelector("text=0 users found.");
  await search.fill("");
  await nextFound(page, number => number === everybody);
  for (const [field, value] of [["only", "failed"], ["only", "skipped"], ["only", "losing"], ["unit", null], ["type", "serviceappointment"]]) {
    const select = page.locator(`select[name=${field}]`);
    await select.selectOption(value ?? { index: 2 });
    const fewer = await nextFound(page, number => number > 0 && number < everybody);
    check(`the filter ${field} ${value ?? "of a unit"} leaves some`, fewer > 0 && fewer < everybody, fewer);
    if (value === "failed") check("all of whom failed", (await page.locator("td.result").allInnerTexts()).every(text => text === "failed"));
    await select.selectOption("");
    await nextFound(page, number => number === everybody);
  }
  const before = String(await names(page));
  await page.locator("select[name=sort]").selectOption("items");
  await eventually(async () => String(await names(page)) !== before);
  const items = (await page.locator("tbody td.n:nth-last-child(2)").allInnerTexts()).map(text => Number(text.replace(/\D/g, "")));
  check("by items, the most come first", items.length > 50 && items.every((number, at) => at === 0 || number <= items[at - 1]), items.slice(0, 9));
  await page.locator("select[name=sort]").selectOption("");
  await eventually(async () => String(await names(page)) === before);
  const seen = new Set(await names(page));
  let pages = 1;
  while (await page.locator("text=Next page").count()) {
    const [first] = await names(page);
    await page.click("text=Next page");
    await eventually(async () => (await names(page))[0] !== first);
    (await names(page)).forEach(name => seen.add(name));
    pages += 1;
  }
  check("the pages together show everybody once", seen.size === everybody && pages === Math.ceil(everybody / 100), `${seen.size} of ${everybody} on ${pages}`);
  await page.click("text=Page before");
  await page.waitForSelector("text=Next page");
};

const narrows = async (page, run) => {
  within("narrowing");
  await page.goto(run);
  await waiting(page);
  const [all, digest] = [await sum(page), await page.inputValue("[name=digest]")];
  const tick = page.locator("input[name=in]").first();
  const filters = Number(await tick.locator("xpath=ancestor::tr/td[5]").innerText());
  await tick.focus();
  await tick.uncheck();
  const less = await nextSum(page, all);
  check("a user taken out lessens the sum", less[0] === all[0] - filters && less[1] === all[1] - 1, `${all} ${less}`);
  check("and the plan has another digest", await page.inputValue("[name=digest]") !== digest);
  check("the box that was ticked keeps the focus", await page.evaluate(() => document.activeElement?.name === "in"), await page.evaluate(() => document.activeElement?.tagName));
  await page.reload();
  check("a reload shows it as it is", String(await sum(page)) === String(less) && !(await page.locator("input[name=in]").first().isChecked()));
  await page.locator("input[name=in]").first().check();
  check("and back", String(await nextSum(page, less)) === String(all));
  check("with the digest of before", await page.inputValue("[name=digest]") === digest);
  await page.locator("select[name=unit]").selectOption({ index: 3 });
  const some = await nextFound(page, number => number > 0 && number < 200);
  await click(page, /^Leave out all \d+ users found$/);
  const without = await nextSum(page, all);
  check("everybody found is left out", without[1] < all[1] && without[1] >= all[1] - some, `${all} ${without}`);
  await click(page, /^Take back all \d+ users found$/);
  check("and taken back", String(await nextSum(page, without)) === String(all));
  return digest;
};

const agrees = async (page, run) => {
  within("agreeing");
  await page.goto(run);
  await waiting(page);
  await click(page, "Keep the plan for later");
  await page.waitForSelector("text=Compare with the server and continue");
  check("a plan can be kept", (await page.locator("#word0").count()) === 0);
  const kept = await sum(page);
  await click(page, "Compare with the server and continue");
  await waiting(page);
  check("and gone on with", String(await sum(page)) === String(kept));
  for (const word of ["", "yes", "reactivate"]) {
    await page.fill("#word0", word);
    await page.click("#agree button");
    await page.waitForSelector("[role=alert]");
    check(`“${word}” is not what was asked for`, /changed nothing/i.test(await page.innerText("[role=alert]")), await page.innerText("[role=alert]"));
    check("and the plan still waits", String(await sum(page)) === String(kept));
  }
  await agree(page);
  await page.waitForSelector("text=Wave 2");
  const rest = await sum(page);
  check("the first wave has five users", rest[1] === kept[1] - 5, `${kept} ${rest}`);
  await click(page, "Keep the plan for later");
  await over(page);
  check("a wave that is declined leaves the run to be resumed", await button(page, "Resume").isVisible());
  await click(page, "Resume");
  await page.waitForSelector("text=Wave 2");
  check("it asks about the same wave again", String(await sum(page)) === String(rest), await sum(page));
  await agree(page);
  await over(page);
  check("the rest is done", (await page.locator("text=Wave").count()) === 0);
};

const FORMATS = { html: /^<!DOCTYPE html>/i, xlsx: /^PK/, csv: /^\uFEFF?[\w"]+[,;]/, json: /^\{/, md: /^#/ };
const handsOver = async (page, run) => {
  within("files");
  await page.goto(run);
  for (const [format, start] of Object.entries(FORMATS)) {
    const coming = page.waitForEvent("download");
    await page.click(`a[href$='format=${format}']`);
    const download = await coming;
    const text = (await readFile(await download.path())).toString("utf8");
    check(`${format} is handed over`, start.test(text) && download.suggestedFilename().endsWith(`.${format}`), `${download.suggestedFilename()} ${text.slice(0, 40)}`);
    if (format === "json") check("as one document of this run", JSON.parse(text).run !== undefined);
  }
};

const undoes = async (page, run) => {
  within("undo");
  await page.goto(run);
  await click(page, "Undo");
  await waiting(page);
  check("an undo is a plan of its own", page.url() !== run && /undo/i.test(await page.innerText("h1")), await page.innerText("h1"));
  const [filters] = await sum(page);
  await agree(page);
  await page.waitForSelector("#totals", { state: "detached" });
  await eventually(async () => (await page.locator("#progress, #agree").count()) === 0);
  const text = (await page.innerText("main")).replace(/,/g, "");
  check("it puts back what it said", text.includes(String(filters)), filters);
  await page.goto(new URL("/runs", run).href);
  check("both runs are listed", (await page.locator("table.list tbody tr").count()) >= 2);
};

export const rollout = async () => {
  const program = await start(["demo", "--ui", "--no-open", "--users", "300", "--port", "0"]);
  const { page, state } = await letIn(program);
  await chooses(page, program.origin);
  within("a plan");
  const run = await begin(page, program.origin, { waves: "5,rest" });
  await waiting(page);
  check("becomes one without a reload", page.url() === run);
  check("names the command that does the same", /syncfilters apply \w+ --expect \w+/.test(await page.innerText("section.command")));
  await searches(page, run);
  await narrows(page, run);
  await agrees(page, run);
  await handsOver(page, run);
  await undoes(page, run);
  return { program, page, state, run };
};
