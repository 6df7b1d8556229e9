
(() => {
  const section = document.getElementById("users");
  const tools = section.querySelector(".tools");
  const [search, result, sort, all, output] = ["input", "select", "button", "input[type=checkbox]", "output"].map(t => tools.querySelector(t));
  const users = [...section.querySelectorAll(".user")];
  const texts = users.map(user => user.textContent.toLowerCase());
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    users.forEach((user, n) => {
      const matches = (!result.value || user.classList.contains(result.value)) && words.every(word => texts[n].includes(word));
      user.hidden = !matches;
      shown += matches;
    });
    const [found, of] = [shown, users.length].map(n => n.toLocaleString("en"));
    output.textContent = shown === users.length ? `${of} users` : `${found} of ${of} users`;
  };
  let waiting;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 150); });
  result.addEventListener("change", show);
  let byName = false;
  sort.addEventListener("click", () => {
    byName = !byName;
    const name = user => user.querySelector("b").textContent;
    const order = byName ? [...users].sort((a, b) => name(a).localeCompare(name(b))) : users;
    section.append(...order);
    sort.textContent = byName ? "Sort as found" : "Sort by name";
  });
  all.addEventListener("change", () => document.body.classList.toggle("all-users", all.checked));
  if (!CSS.supports("selector(::details-content)")) {
    // Where the style sheet cannot open what is closed for paper, the page does.
    const closed = () => [...document.querySelectorAll(all.checked ? "details:not([open])" : ".numbers:not([open])")];
    let opened = [];
    addEventListener("beforeprint", () => { opened = closed(); opened.forEach(one => { one.open = true; }); });
    addEventListener("afterprint", () => { opened.forEach(one => { one.open = false; }); });
  }
  tools.hidden = false;
  show();
})();
