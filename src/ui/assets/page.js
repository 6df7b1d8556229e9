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
  const sentence = page => {
    const said = new DOMParser().parseFromString(page, "text/html").querySelector(".message, p");
    const parts = said?.matches(".message") ? [...said.children] : [said];
    return parts.map(part => part?.textContent.trim()).filter(Boolean).join(" ");
  };
  on("htmx:responseError", (_, { elt, xhr }) => failed(elt, sentence(xhr.responseText) || NO_CONNECTION));
  on("htmx:sendError", (_, { elt }) => failed(elt, NO_CONNECTION));
  // Windows that follow runs take turns: only a stream that does not come back is lost.
  let lost = 0;
  on("htmx:sseError", () => { lost ||= setTimeout(() => say(NO_CONNECTION), 5000); });
  on("htmx:sseOpen", () => { clearTimeout(lost); lost = 0; say(""); });
  on("htmx:afterRequest", (_, { successful }) => successful && say(""));

  // A box that was changed says how it is, also where an earlier form, which was given up, said otherwise.
  document.addEventListener("change", ({ target: box }) => {
    if (!box.matches("#found input[name=in]") || box.parentElement.querySelector("[name=touched]")) return;
    const touched = document.createElement("input");
    Object.assign(touched, { type: "hidden", name: "touched", value: box.value });
    box.after(touched);
  }, true);

  // Where somebody edits and searches at once, the edit goes first: the answer to a search would take the place of its
  // form, and its answer would be lost.
  const edits = new Set();
  let again = "";
  const isEditing = () => [...edits].some(({ readyState }) => readyState > 0 && readyState < 4);
  const searchAgain = () => {
    if (!again || isEditing()) return;
    const element = document.getElementById(again);
    again = "";
    if (element?.matches("form")) htmx.trigger(element, "again");
    else element?.click();
  };
  on("htmx:confirm", (event, { elt, verb }) => {
    if (verb !== "get" || !isEditing() || !elt.closest("#users")) return;
    event.preventDefault();
    again = elt.id;
  });
  on("htmx:beforeRequest", (_, { elt, xhr, requestConfig }) => {
    if (requestConfig.verb === "get" || !elt.closest("#users")) return;
    edits.clear();
    edits.add(xhr);
    // What was put in is set up 20 ms later; a link does what a link does before.
    xhr.addEventListener("loadend", () => setTimeout(searchAgain, 100));
    const find = document.getElementById("find");
    if (!find.classList.contains("htmx-request")) return;
    again = "find";
    htmx.trigger(find, "htmx:abort");
  });

  // A number of users that was counted is no more that of a form that was changed.
  document.addEventListener("input", ({ target }) => target.closest("#choose") && document.getElementById("count")?.replaceChildren());

  // What is said already is not said again.
  on("htmx:oobBeforeSwap", (event, detail) => {
    if (detail.target.matches("[role=status]") && detail.target.textContent === detail.fragment.textContent) detail.shouldSwap = false;
  });

  // Whoever had the focus in a part that is replaced has it there still.
  let part = "";
  on("htmx:beforeSwap", (_, { target }) => {
    const { activeElement, body } = document;
    if (target.contains(activeElement)) part = target.id;
    else if (activeElement !== body) part = "";
  });
  on("htmx:afterSettle", () => {
    const there = part && document.getElementById(part);
    part = "";
    if (!there || (document.activeElement && document.activeElement !== document.body)) return;
    (there.querySelector("[tabindex='-1']") ?? there).focus({ preventScroll: true });
  });
})();
