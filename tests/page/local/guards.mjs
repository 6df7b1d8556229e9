// Each guard of the page, from outside.
import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { check, eventually, start, within } from "./world.mjs";
import { ask } from "./raw.mjs";

const ADDRESS_LIFE = 61_000;
const ALWAYS = { "cache-control": /no-store/, "x-content-type-options": /^nosniff$/, "content-security-policy": /default-src 'self'.*frame-ancestors 'none'/ };

// A caller who is in, and what was answered to everything that was asked.
const caller = async program => {
  const { port } = program;
  const host = `127.0.0.1:${port}`;
  const answers = [];
  const send = async (method, path, headers, body, to) => {
    const answer = await ask(port, method, path, headers, body, to);
    answers.push([`${method} ${path.slice(0, 60)} ${answer.status}`, answer]);
    return answer;
  };
  const ticket = new URL(program.url).search;
  const first = await send("GET", "/" + ticket, [["Host", host]]);
  const cookie = first.headers["set-cookie"]?.split(";")[0];
  const own = [["Host", host], ["Cookie", cookie]];
  const from = [["Origin", `http://${host}`], ["Sec-Fetch-Site", "same-origin"], ["Content-Type", "application/x-www-form-urlencoded"]];
  const form = await send("GET", "/choose", own);
  const token = form.body.match(/name="form-token" value="(\w+)"/)?.[1];
  const get = path => send("GET", path, own);
  const post = (path, fields) => send("POST", path, [...own, ...from], new URLSearchParams([["form-token", token], ...fields]).toString());
  return { port, host, answers, send, ticket, first, cookie, own, from, token, get, post };
};

const entry = async me => {
  within("guards: who is let in");
  check("the cookie is for this program alone", /^syncfilters-\w+=\w{32}; HttpOnly; SameSite=Strict; Path=\/$/.test(me.first.headers["set-cookie"]), me.first.headers["set-cookie"]);
  check("the cookie lets in", (await me.get("/")).status === 200);
  for (const path of ["/", "/choose", "/runs", "/environments/check?environment=sandbox", "/runs/0123456789ab", "/style.css", "/nothing"]) {
    const answer = await me.send("GET", path, [["Host", me.host]]);
    check(`${path} without it is refused`, answer.status === 403, answer.status);
    check("and says nothing of an environment", !/sandbox|contoso|dynamics/i.test(answer.body), answer.body);
  }
  const status = async (what, path, headers) => check(what, (await me.send("GET", path, headers)).status === 403);
  await status("a token leads in once", "/" + me.ticket, [["Host", me.host]]);
  await status("a wrong token does not", "/?token=" + "0".repeat(32), [["Host", me.host]]);
  await status("an empty one does not", "/?token=", [["Host", me.host]]);
  const [name, value] = me.cookie.split("=");
  await status("a wrong cookie does not", "/", [["Host", me.host], ["Cookie", `${name}=${"0".repeat(32)}`]]);
  await status("nor does the value under another name", "/", [["Host", me.host], ["Cookie", `other=${value}`]]);
};

const hosts = async me => {
  within("guards: Host");
  const other = [`localhost:${me.port}`, "attacker.example", `attacker.example:${me.port}`, "127.0.0.1", `127.0.0.1:${me.port}.attacker.example`, `0.0.0.0:${me.port}`, `[::ffff:127.0.0.1]:${me.port}`];
  for (const host of other) {
    const answer = await me.send("GET", "/", [["Host", host], ["Cookie", me.cookie]]);
    check(`${host} is not served`, answer.status === 421, answer.status);
  }
  const two = await me.send("GET", "/", [["Host", me.host], ["Host", "attacker.example"], ["Cookie", me.cookie]]);
  check("two hosts are not served", [400, 421].includes(two.status), two.status);
  const none = await me.send("GET", "/", [["Cookie", me.cookie]]);
  check("no host is not served", [400, 421].includes(none.status), none.status);
  const whole = await me.send("GET", `http://attacker.example/`, me.own);
  check("a whole address of somebody else is not served", whole.status === 421, whole.status);
  const six = await me.send("GET", "/", [["Host", `[::1]:${me.port}`], ["Cookie", me.cookie]], "", "::1").catch(error => error);
  check("[::1] is served, where there is IPv6", six.status === 200 || six.code === "ECONNREFUSED" || six.code === "EADDRNOTAVAIL", six.status ?? six.code);
};

const forms = async me => {
  within("guards: forms");
  const body = `form-token=${me.token}`;
  const type = me.from[2];
  const post = async (what, headers, sent = body) => {
    const answer = await me.send("POST", "/choose/count", [...me.own, type, ...headers], sent);
    check(what, answer.status === 403, answer.status);
  };
  const [origin] = me.from;
  await post("no Origin is refused", []);
  await post("Origin null is refused", [["Origin", "null"]]);
  await post("another origin is refused", [["Origin", "http://attacker.example"]]);
  await post("another port is refused", [["Origin", `http://127.0.0.1:${me.port + 1}`]]);
  await post("the name localhost is refused", [["Origin", `http://localhost:${me.port}`]]);
  await post("https is refused", [["Origin", `https://${me.host}`]]);
  await post("the other of the two addresses is refused", [["Origin", `http://[::1]:${me.port}`]]);
  await post("two origins are refused", [origin, origin]);
  for (const site of ["cross-site", "same-site", "none"]) await post(`Sec-Fetch-Site ${site} is refused`, [origin, ["Sec-Fetch-Site", site]]);
  await post("a form without a token is refused", me.from.slice(0, 2), "operation=deactivate");
  await post("a form with a wrong token is refused", me.from.slice(0, 2), `form-token=${"0".repeat(32)}`);
  const bare = await me.send("POST", "/quit", [["Host", me.host], ...me.from], body);
  check("a form without the cookie is refused", bare.status === 403, bare.status);
  for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]) {
    const answer = await me.send(method, "/runs", [...me.own, origin]);
    check(`${method} is refused`, answer.status === 405, answer.status);
  }
  const preflight = await me.send("OPTIONS", "/runs", [["Host", me.host], ["Origin", "http://attacker.example"], ["Access-Control-Request-Method", "POST"]]);
  check("a preflight is refused", preflight.status === 405, preflight.status);
  const get = await me.get("/quit");
  check("what changes something cannot be asked for by GET", get.status === 405, get.status);
};

const sizes = async me => {
  within("guards: sizes");
  const large = await me.post("/choose/count", [["list", "x".repeat(65 * 1024)]]);
  check("a form above 64 KiB is refused", large.status === 413, large.status);
  const parts = size => `--b\r\nContent-Disposition: form-data; name="form-token"\r\n\r\n${me.token}\r\n--b\r\nContent-Disposition: form-data; name="operation"\r\n\r\ndeactivate\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n${"nobody@contoso.example\n".repeat(size / 23)}\r\n--b--\r\n`;
  const [origin, site] = me.from;
  const list = size => me.send("POST", "/runs", [...me.own, origin, site, ["Content-Type", "multipart/form-data; boundary=b"]], parts(size)).catch(error => ({ status: error.code }));
  const most = await list(17 * 1024 * 1024);
  check("a list above 16 MiB is refused", most.status === 413, most.status);
  const some = await list(300 * 1024);
  check("a list of 300 KiB is read", some.status === 200 && /environment|nobody/.test(some.body), some.status);
  const header = await me.send("GET", "/", [...me.own, ["X-Long", "x".repeat(64 * 1024)]]).catch(error => ({ status: error.code }));
  check("a header above 16 KiB is refused", [431, 400, "ECONNRESET", "EPIPE"].includes(header.status), header.status);
  const address = await me.get("/runs?from=" + "9".repeat(8000));
  check("a long address is answered", address.status >= 200 && address.status < 500, address.status);
};

const runs = async me => {
  within("guards: runs");
  for (const id of ["..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "latest", "0123", "..", "0123456789AB", "0123456789ab%00", "0123456789ab.run", "%e2%80%ae"]) {
    const answers = [await me.get(`/runs/${id}`), await me.get(`/runs/${id}/report?format=json`), await me.get(`/runs/${id}/events`), await me.get(`/runs/${id}/users`), await me.post(`/runs/${id}/undo`, []), await me.post(`/runs/${id}/agree`, [["word", "deactivate"]])];
    const all = answers.map(answer => answer.status);
    check(`${id} leads to no run`, all.every(status => [400, 404, 405].includes(status)), all);
  }
  const absent = await me.get("/runs/0123456789ab");
  check("an id that no run has is said, and not as an error of the program", absent.status >= 400 && absent.status < 500, `${absent.status} ${absent.body.match(/<strong>(.*?)<\/strong>/)?.[1]}`);
  const begun = await me.post("/runs", [["environment", "sandbox"], ["operation", "deactivate"], ["type", "appointment"]]);
  const run = begun.headers.location;
  check("a form begins a run", /^\/runs\/[0-9a-f]{12}$/.test(run ?? ""), begun.status);
  const page = () => me.get(run);
  await eventually(async () => (await page()).body.includes('name="word"'));
  const shown = (await page()).body;
  const digest = shown.match(/name="digest" value="(\w+)"/)[1];
  const seq = shown.match(/name="was-in" value="(\d+)"/)[1];
  // What the page says to which the answer leads.
  const agree = async fields => {
    const answer = await me.post(`${run}/agree`, fields);
    return (await me.get(answer.headers.location)).body.match(/role="alert">(.*?)<\/div>/s)?.[1] ?? "";
  };
  const without = await agree([["word", "deactivate"]]);
  check("agreeing without a digest is refused", /digest|which plan/.test(without), without);
  const other = await agree([["word", "deactivate"], ["digest", "0".repeat(16)]]);
  check("agreeing to another digest is refused", other !== "" && (await page()).body.includes('name="word"'));
  await me.post(`${run}/users?`, [["was-in", seq], ["edit", "page"]]);
  const narrowed = (await page()).body.match(/name="digest" value="(\w+)"/)[1];
  check("a narrowed plan has another digest", narrowed !== digest);
  const before = await agree([["word", "deactivate"], ["digest", digest]]);
  check("agreeing with the digest of the plan before is refused", before !== "", before);
  check("and the plan waits as it was", (await page()).body.includes(`value="${narrowed}"`));
  const wordless = await agree([["digest", narrowed]]);
  check("agreeing without the word is refused", /changed nothing/i.test(wordless), wordless);
  for (const [action, wanted] of [["pause", /./], ["continue", /./], ["stop", /./]]) {
    const answer = await me.post(`${run}/${action}`, []);
    check(`${action} of a plan that waits does not break it`, answer.status < 500 && (await eventually(async () => (await page()).body.includes("<h1"))) && wanted.test((await page()).body));
  }
  await me.post(`${run}/keep`, []);
  const why = await agree([["word", "deactivate"], ["digest", narrowed]]);
  check("agreeing to a run that does not wait is refused", why !== "", why);
  check("and nothing is written", !(await page()).body.includes("/undo"));
  await me.post("/runs/0123456789ab/pause", []);
};

const sockets = async (me, program) => {
  within("guards: connections");
  const listening = execFileSync("ss", ["-ltnH", `sport = :${me.port}`]).toString().trim().split("\n").map(line => line.split(/\s+/)[3]);
  check("only loopback addresses listen", listening.length > 0 && listening.every(address => [`127.0.0.1:${me.port}`, `[::1]:${me.port}`].includes(address)), listening);
  const open = () => new Promise(resolve => {
    const socket = connect(me.port, "127.0.0.1");
    const one = { socket, closed: false, said: "" };
    socket.on("data", piece => { one.said += piece; });
    socket.on("close", () => { one.closed = true; });
    socket.on("error", () => {});
    socket.on("connect", () => resolve(one));
  });
  const many = await Promise.all(Array.from({ length: 70 }, open));
  await eventually(() => many.filter(one => one.closed).length >= 6);
  const places = many.filter(one => !one.closed);
  check("of 70 connections at once, 64 are held", places.length === 64, places.length);
  for (const one of places) one.socket.write(`GET /style.css HTTP/1.1\r\nHost: ${me.host}\r\nCookie: ${me.cookie}\r\nConnection: close\r\n\r\n`);
  check("and each of these is answered", await eventually(() => places.every(one => one.said.startsWith("HTTP/1.1 200"))), places.filter(one => !one.said).length);
  many.forEach(one => one.socket.destroy());
  check("others are answered afterwards", await eventually(async () => (await me.get("/").catch(() => ({}))).status === 200));
  const slow = await open();
  slow.socket.write(`GET / HTTP/1.1\r\nHost: ${me.host}\r\n`);
  // A byte now and then keeps no place.
  const drip = setInterval(() => slow.closed || slow.socket.write("X"), 2000);
  check("a header that does not end is not waited for", await eventually(() => slow.closed));
  clearInterval(drip);
  const body = await open();
  body.socket.write(`POST /choose/count HTTP/1.1\r\nHost: ${me.host}\r\nCookie: ${me.cookie}\r\nOrigin: http://${me.host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nform`);
  check("nor is a body", await eventually(() => body.said.startsWith("HTTP/1.1 408") || body.closed), body.said.slice(0, 40));
  body.socket.destroy();
};

const always = me => {
  within("guards: every answer");
  for (const [name, value] of Object.entries(ALWAYS)) {
    const without = me.answers.filter(([, { status, headers }]) => status !== 400 && status !== 431 && !value.test(headers[name] ?? ""));
    check(`${name} is there`, without.length === 0, without.map(([what]) => what));
  }
  const cors = me.answers.filter(([, { headers }]) => Object.keys(headers).some(name => name.startsWith("access-control-")));
  check("no header lets another origin read", cors.length === 0, cors.map(([what]) => what));
  check(`no answer says that the program is at fault, of ${me.answers.length}`, me.answers.every(([, { status }]) => status < 500), me.answers.filter(([, { status }]) => status >= 500).map(([what]) => what));
};

const ends = async (me, program) => {
  within("guards: the end");
  const answer = await me.post("/quit", []);
  check("quit ends the program", answer.status === 200 && await program.ended.then(([code]) => code === 0));
};

export const guards = async () => {
  // An address that nobody uses within its minute.
  const unused = await start(["demo", "--ui", "--no-open", "--users", "25", "--port", "0"]);
  const printed = Date.now();
  const program = await start(["demo", "--ui", "--no-open", "--users", "40", "--port", "0"]);
  const me = await caller(program);
  await entry(me);
  await hosts(me);
  await forms(me);
  await sizes(me);
  await runs(me);
  await sockets(me, program);
  always(me);
  await ends(me, program);
  within("guards: a late address");
  await eventually(() => Date.now() - printed > ADDRESS_LIFE);
  const late = await ask(unused.port, "GET", "/" + new URL(unused.url).search, [["Host", `127.0.0.1:${unused.port}`]]);
  check("does not lead in", late.status === 403, late.status);
  await unused.end("SIGTERM");
};
