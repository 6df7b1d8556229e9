// What htmx leaves to the page: to say that nothing came back, and to keep the place of whoever cannot see.
"use strict";
(() => {
  const NO_CONNECTION = "No connection to syncfilters. Start it again, or reload the page.";
  const fill = (region, text) => { if (region.textContent !== text) region.textContent = text; };
  const say = text => fill(document.getElementById("lost"), text);
  const on = (name, act) => document.addEventListener(name, event => act(event, event.detail));

  // Boxes go back to how they were drawn: nothing became of what was changed in them.
  const putBack = element => {
    const form = element?.closest("#found form");
    form?.querySelectorAll("[name=touched]").forEach(field => field.remove());
    form?.reset();
  };
  const failed = (element, text) => { putBack(element); say(text); };
  const sentence = page => new DOMParser().parseFromString(page, "text/html").querySelector(".message, p")?.textContent.trim();
  on("htmx:responseError", (_, { elt, xhr }) => failed(elt, sentence(xhr.responseText) || NO_CONNECTION));
  on("htmx:sendError", (_, { elt }) => failed(elt, NO_CONNECTION));
  on("htmx:sseError", () => say(NO_CONNECTION));
  on("htmx:sseOpen", () => say(""));
  on("htmx:afterRequest", (_, { successful }) => successful && say(""));

  // A box that was changed says how it is, also where an earlier form, which was given up, said otherwise.
  document.addEventListener("change", ({ target: box }) => {
    if (!box.matches("#found input[name=in]") || box.parentElement.querySelector("[name=touched]")) return;
    const touched = document.createElement("input");
    Object.assign(touched, { type: "hidden", name: "touched", value: box.value });
    box.after(touched);
  }, true);

  // What is said already is not said again.
  on("htmx:oobBeforeSwap", (event, detail) => {
    if (detail.target.matches("[role=status]") && detail.target.textContent === detail.fragment.textContent) detail.shouldSwap = false;
  });

  // Whoever had the focus in a part that is replaced has it there still.
  let part = "";
  on("htmx:beforeSwap", (_, { target }) => { part = target.contains(document.activeElement) ? target.id : ""; });
  on("htmx:afterSettle", () => {
    const there = part && document.getElementById(part);
    part = "";
    if (!there || (document.activeElement && document.activeElement !== document.body)) return;
    (there.querySelector("[tabindex='-1']") ?? there).focus({ preventScroll: true });
  });
})();
