// Names that would be markup, that steer a terminal, and that turn the direction of a line: a server between the
// sandbox and the program writes them into every answer.
import { createServer, request } from "node:http";
import { once } from "node:events";
import { check, eventually, letIn, start, startSandbox, within } from "./world.mjs";
import { agree, begin, over, waiting } from "./screens.mjs";

const MARKUP = "<img src=x onerror=window.hostile=1><script>window.hostile=1</script>\"'><a href=javascript:alert(1) autofocus>";
const HOSTILE = [
  ["@contoso.example", `${MARKUP}\`code\`&lt;b&gt;\u202e\u2066\u001b[31m\u0007@contoso.example`],
  ["Nordics", `${MARKUP}</select></form>\u202eNordics`],
  ["Contoso (sandbox)", `${MARKUP}</title>\u200f\u2028(sandbox)`],
];
const asJson = text => JSON.stringify(text).slice(1, -1);

const between = async sandbox => {
  const own = new URL(sandbox.url);
  const server = createServer((incoming, outgoing) => {
    // Names that come back in a question are as they were.
    const headers = { ...incoming.headers, host: own.host, "accept-encoding": "identity" };
    const asked = request({ host: own.hostname, port: own.port, method: incoming.method, path: incoming.url, headers }, async answer => {
      const pieces = [];
      for await (const piece of answer) pieces.push(piece);
      let body = Buffer.concat(pieces);
      const type = answer.headers["content-type"] ?? "";
      if (/json|multipart/.test(type)) {
        let text = body.toString("utf8").replaceAll(`${own.host}`, incoming.headers.host);
        if (/json/.test(type)) for (const [name, hostile] of HOSTILE) text = text.replaceAll(name, asJson(hostile));
        body = Buffer.from(text);
      }
      const { "content-length": _, "transfer-encoding": __, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode, { ...rest, "content-length": body.length });
      outgoing.end(body);
    });
    asked.on("error", () => outgoing.destroy());
    incoming.pipe(asked);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: sandbox.url.replace(own.host, `127.0.0.1:${server.address().port}`) };
};

export const hostileNames = async () => {
  within("hostile names");
  const sandbox = await startSandbox(["--users", "60"]);
  const { server, url } = await between(sandbox);
  const program = await start(["ui", "--no-open", "--port", "0"], { more: { ...sandbox.variables, SYNCFILTERS_URL: url } });
  const { page } = await letIn(program);
  const dialogs = [];
  page.on("dialog", dialog => { dialogs.push(dialog.message()); dialog.dismiss(); });
  const judge = async where => {
    const seen = await page.evaluate(() => ({
      ran: "hostile" in window,
      elements: document.querySelectorAll("main img, main script, a[href^=javascript], [onerror], td b").length,
      steering: /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200f\u2028]/.test(document.documentElement.textContent + document.title),
      names: document.body.innerText.includes("<img src=x onerror="),
    }));
    check(`${where}: names are never markup`, !seen.ran && seen.elements === 0, JSON.stringify(seen));
    check(`${where}: no character of theirs steers or turns`, !seen.steering);
    return seen.names;
  };
  await page.goto(program.origin + "/");
  await page.click("text=Check this environment");
  await page.waitForSelector("text=Check again");
  await judge("check");
  const run = await begin(page, program.origin);
  await waiting(page);
  check("plan: the names are there, as text", await judge("plan"));
  await page.fill("input[type=search]", "<img src=x");
  await eventually(async () => /found/.test(await page.innerText("#found-said")));
  await judge("search");
  await page.goto(`${run}?search=${encodeURIComponent(MARKUP)}&only=${encodeURIComponent(MARKUP)}&sort=%22%3E%3Cimg%3E`);
  check("address: what it says stands in the field", await page.inputValue("input[type=search]") === MARKUP);
  await judge("address");
  await page.goto(run);
  await agree(page);
  await over(page);
  await judge("over");
  await page.goto(program.origin + "/runs");
  await judge("runs");
  await page.goto(program.origin + "/choose");
  await page.fill("#list", MARKUP);
  await page.click("text=Count the users");
  await eventually(async () => (await page.innerText("#count")) !== "");
  await judge("choose");
  check("nothing asks anything", dialogs.length === 0, dialogs);
  server.closeAllConnections();
  server.close();
};
