// Requests as bytes: what no browser would send.
import { connect } from "node:net";

const parse = bytes => {
  const text = bytes.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const [first, ...lines] = text.slice(0, end < 0 ? undefined : end).split("\r\n");
  const headers = lines.map(line => line.split(/:\s*/s)).map(([name, ...rest]) => [name.toLowerCase(), rest.join(":")]);
  return { status: Number(first.split(" ")[1]), headers: Object.fromEntries(headers), body: end < 0 ? "" : text.slice(end + 4), text };
};

// Sends one request and reads until the other side closes. `headers` is a list, so that one can be there twice.
export const ask = (port, method, path, headers, body = "", host = "127.0.0.1") => new Promise((resolve, reject) => {
  const socket = connect(port, host);
  const pieces = [];
  const answer = () => pieces.length ? resolve(parse(Buffer.concat(pieces))) : reject(new Error("closed without an answer"));
  socket.setTimeout(60_000, () => socket.destroy(new Error("no answer within a minute")));
  socket.on("data", piece => pieces.push(piece));
  socket.on("end", answer);
  // An answer can come before a large body has been sent, and the rest is refused.
  socket.on("error", error => pieces.length ? answer() : reject(error));
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body || method === "POST" ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : "";
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines}${length}Connection: close\r\n\r\n`);
  if (body) socket.write(body);
});
