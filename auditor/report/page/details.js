// Builds a role's section when it is opened, from the data that the page carries. Texts become text
// nodes and nothing else: names and policies are other people's.
"use strict";
(() => {
  const list = document.getElementById("role-list");
  if (!list) return;
  let data = null;
  const read = () => (data ??= JSON.parse(document.getElementById("data").textContent));
  const text = (number) => read().texts[number];

  function make(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function copyButton(label, get) {
    const button = make("button", { type: "button" }, label);
    button.addEventListener("click", () => copy(button, label, get()));
    return button;
  }

  async function copy(button, label, what) {
    let done = true;
    try {
      await navigator.clipboard.writeText(what);
    } catch {
      done = false; // refused, or a page that isn't served securely
    }
    button.textContent = done ? "Copied" : "Select it and copy";
    setTimeout(() => (button.textContent = label), 2000);
  }

  function request(rows) {
    const shown = make("dl", { class: "request" });
    for (const [label, ...values] of rows) {
      const call = text(label) === "Call" ? { class: "call" } : {};
      shown.append(make("dt", {}, text(label)));
      for (const value of values) shown.append(make("dd", call, text(value)));
    }
    return shown;
  }

  function policy(number, marks, label) {
    const shown = make("pre", { tabindex: "0", "aria-label": label, role: "group" });
    text(number).split("\n").forEach((line, at) => {
      const indented = line.replace(/^ */, (start) => start + start);
      const name = marks.includes(at) ? "mark" : "span";
      shown.append(make(name, { class: "line" }, `${indented}\n`));
    });
    return shown;
  }

  function statements(entries, legend) {
    const parts = [];
    let marked = false;
    for (const [where, whole, number, ...marks] of entries) {
      parts.push(make("p", {}, text(where)));
      if (whole) parts.push(policy(number, marks, text(where)));
      else parts.push(make("p", { class: "legend" }, text(number)));
      marked ||= marks.length > 0;
    }
    if (marked) {
      const mark = make("mark", {}, "Marked lines");
      parts.push(make("p", { class: "legend" }, mark, legend));
    }
    return parts;
  }

  const bulleted = (entries) =>
    make("ul", { class: "list" }, ...entries.map((entry) => make("li", {}, entry)));

  function finding(one) {
    const kind = make("p", { class: "kind" });
    kind.append(make("b", {}, text(one.severity)), ` \u00b7 ${text(one.certainty)} \u00b7 `, make("a", { href: `#rule-${text(one.rule)}` }, text(one.rule)));
    const shown = make("section", { class: "finding" }, make("h3", {}, text(one.title)), kind);
    if (one.excepted !== undefined) shown.append(make("p", { class: "note" }, `Suppressed: ${text(one.excepted)}`));
    if (one.life !== undefined) shown.append(make("p", { class: "legend" }, `Against earlier audits: ${text(one.life)}`));
    if (one.request) shown.append(make("h4", {}, "A request that AWS would allow"), request(one.request));
    if (one.also) {
      const calls = one.also.map(([action, ...on]) => `${text(action)} on ${on.map(text).join(", ")}`);
      shown.append(make("h4", {}, "The same way"), bulleted(calls));
    }
    if (one.confirmed) shown.append(make("h4", {}, "What AWS's policy simulator says"), bulleted(one.confirmed.map(text)));
    if (one.statements) {
      const legend = " decide: the action, the resource or the recipients of the request.";
      shown.append(make("h4", {}, "Statements that decide"), ...statements(one.statements, legend));
    }
    shown.append(make("h4", {}, "What to do"), make("p", {}, text(one.remedy)));
    return shown;
  }

  function closed(one) {
    const shown = make("section", { class: "finding" }, make("h3", {}, "What closes it"));
    shown.append(make("p", {}, `${text(one.why)}${one.layers || one.statements ? ":" : "."}`));
    if (one.layers) shown.append(bulleted(one.layers.map(text)));
    if (one.statements) shown.append(...statements(one.statements, " name sends, or their recipients."));
    if (one.more) shown.append(make("p", {}, `and ${one.more} more`));
    return shown;
  }

  function fix(role) {
    const shown = make("section", { class: "fix" }, make("h3", {}, role.fix === undefined ? "How to close it" : "Close it with the guard"));
    if (role.fix !== undefined) {
      const command = text(role.fix);
      shown.append(
        make("p", {}, "This command says what would change, and proves it, before anything does:"),
        make("pre", { tabindex: "0", role: "group", "aria-label": "The command that plans the guard" }, command),
      );
      const buttons = make("div", { class: "actions" }, copyButton("Copy the command", () => command));
      buttons.append(copyButton("Copy the guard policy", () => document.getElementById("guard-text").textContent));
      buttons.append(make("a", { href: "#guard" }, "See the guard policy"));
      shown.append(buttons);
    }
    if (role.overrules !== undefined) shown.append(make("p", { class: "note" }, text(role.overrules)));
    for (const other of role.others ?? []) {
      shown.append(make("p", {}, `The mail that it sends as ${text(other)} is sent with ${text(other)}'s permissions, where a guard on this role has no hold. Take away sts:AssumeRole on ${text(other)}, or close that role if nothing needs its mail.`));
    }
    return shown;
  }

  function build(item) {
    const place = item.querySelector(".proof");
    if (place.dataset.built) return;
    place.dataset.built = "1";
    const role = read().roles[Number(item.id.slice("role-".length))];
    const parts = [];
    if (role.projects) parts.push(make("p", { class: "projects" }, `Projects: ${role.projects.map(text).join(", ")}`));
    for (const note of role.notes ?? []) parts.push(make("p", { class: "note" }, `Not read or not decided: ${text(note)}`));
    parts.push(...[...(role.findings ?? []), ...(role.suppressed ?? [])].map(finding));
    if (role.closed) parts.push(closed(role.closed));
    if (item.dataset.v === "undetermined") {
      parts.unshift(make("p", { class: "note" }, `Why it is undetermined: ${item.querySelector(".says").textContent}`));
    }
    if (role.fix !== undefined || role.others) parts.push(fix(role));
    if (!parts.length) parts.push(make("p", {}, "Nothing more to tell."));
    place.append(...parts);
  }

  list.addEventListener("toggle", (event) => event.target.open && build(event.target.parentElement), true);

  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", () => copy(button, label, document.getElementById(button.dataset.copies).textContent));
  }

  function words(role) {
    const found = [...(role.projects ?? []), ...(role.notes ?? [])];
    for (const one of [...(role.findings ?? []), ...(role.suppressed ?? [])]) {
      if (one.excepted !== undefined) found.push(one.excepted);
      found.push(one.rule, one.title, ...(one.request ?? []).flat(), ...(one.also ?? []).flat());
      for (const [where, , number] of one.statements ?? []) found.push(where, number);
    }
    if (role.closed) {
      found.push(role.closed.why, ...(role.closed.layers ?? []));
      for (const [where, , number] of role.closed.statements ?? []) found.push(where, number);
    }
    return found.map(text).join("\n");
  }
  // What the filter looks through, for the other script.
  window.roleText = (item) =>
    `${item.textContent}\n${words(read().roles[Number(item.id.slice("role-".length))])}`.toLowerCase();
  window.openRole = (item) => {
    item.querySelector("details").open = true;
    build(item);
  };
})();
