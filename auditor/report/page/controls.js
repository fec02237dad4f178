// Filters and sorts the list of roles, and opens the one that a link names.
"use strict";
(() => {
  const list = document.getElementById("role-list");
  if (!list) return;
  const OPENED_MAX = 100; // sections opened by one click: more would keep the browser busy
  const form = document.querySelector(".controls");
  const { text, verdict, severity, rule, sort, shown, open, close } = form.elements;
  const items = Array.from(list.children);
  const place = new Map(items.map((item, at) => [item, at]));
  const texts = new Map();
  const severities = ["high", "medium", "low", "info", ""];

  function textOf(item) {
    if (!texts.has(item)) texts.set(item, window.roleText(item));
    return texts.get(item);
  }

  function fits(item, wanted) {
    const { v, s, r } = item.dataset;
    if (verdict.value === "exposed" ? !["proven", "possible"].includes(v) : verdict.value && verdict.value !== v) return false;
    if (severity.value && severity.value !== s) return false;
    if (rule.value && !r.split(" ").includes(rule.value)) return false;
    return wanted.every((word) => textOf(item).includes(word));
  }

  const visible = () => items.filter((item) => !item.hidden);

  function filter() {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of items) {
      item.hidden = !fits(item, wanted);
      count += !item.hidden;
    }
    const all = items.length.toLocaleString("en");
    shown.value = count === items.length ? `${all} ${items.length === 1 ? "role" : "roles"}` : `${count.toLocaleString("en")} of ${all} roles`;
    document.getElementById("none-shown").hidden = count > 0;
    open.textContent = count > OPENED_MAX ? `Open the first ${OPENED_MAX}` : "Open all shown";
  }

  const keys = {
    worst: () => "",
    name: (item) => item.querySelector(".name").textContent.replace(/[0-9]+/g, (run) => run.padStart(64, "0")), // 9 before 10
    severity: (item) => String(severities.indexOf(item.dataset.s)),
    rule: (item) => item.dataset.r || "\uffff",
  };

  let ordered = "worst";

  function order() {
    if (sort.value === ordered) return; // moving the list would take the focus away
    ordered = sort.value;
    const key = keys[sort.value];
    const keyed = items.map((item) => [key(item), place.get(item), item]);
    keyed.sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : i - j));
    list.append(...keyed.map(([, , item]) => item));
    items.splice(0, items.length, ...keyed.map(([, , item]) => item));
  }

  function target() {
    const item = /^#role-\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!item) return;
    if (item.hidden) {
      form.reset();
      filter();
    }
    window.openRole(item);
    item.querySelector("summary").focus({ preventScroll: true });
    item.scrollIntoView();
  }

  let waiting = 0;
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  for (const select of [verdict, severity, rule]) select.addEventListener("change", filter);
  sort.addEventListener("change", order);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { filter(); order(); }));
  open.addEventListener("click", () => visible().slice(0, OPENED_MAX).forEach(window.openRole));
  close.addEventListener("click", () => {
    for (const one of list.querySelectorAll("details[open]")) one.open = false;
  });
  for (const tile of document.querySelectorAll(".tile a")) {
    tile.addEventListener("click", () => {
      form.reset();
      verdict.value = tile.dataset.verdict;
      setTimeout(filter);
    });
  }
  window.addEventListener("hashchange", target);
  form.hidden = false;
  document.getElementById("plain").hidden = true;
  filter();
  target();
})();
