// Search without a server: every word must be in a section; titles count more than text.
"use strict";

const form = document.getElementById("search");
const box = form.querySelector("input");
const found = document.getElementById("found");
const MOST = 30;

function score(words, title, text) {
  let sum = 0;
  for (const word of words) {
    const last = title.split(/::|\./).pop();
    if (title === word || last === word) sum += 100;
    else if (title.startsWith(word) || last.startsWith(word)) sum += 40;
    else if (title.includes(word)) sum += 20;
    else if (text.includes(word)) sum += 1;
    else return 0;
  }
  return sum;
}

function excerpt(text, word) {
  const at = Math.max(0, text.toLowerCase().indexOf(word) - 40);
  return (at > 0 ? "… " : "") + text.slice(at, at + 140) + (text.length > at + 140 ? " …" : "");
}

function search() {
  const words = box.value.toLowerCase().split(/\s+/).filter((word) => word);
  const hits = [];
  for (const [title, page, text, address] of words.length ? SECTIONS : []) {
    const points = score(words, title.toLowerCase(), text.toLowerCase());
    if (points) hits.push({ points, title, page, text, address });
  }
  hits.sort((a, b) => b.points - a.points);
  found.replaceChildren(...hits.slice(0, MOST).map((hit) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = hit.address;
    link.textContent = hit.title;
    const where = document.createElement("small");
    where.textContent = hit.page;
    const about = document.createElement("p");
    about.textContent = excerpt(hit.text, words[0]);
    item.append(link, " ", where, about);
    return item;
  }));
  if (words.length && !hits.length) found.textContent = "Nothing has all of these words.";
  found.hidden = !words.length;
}

form.hidden = false;
box.addEventListener("input", search);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  found.querySelector("a")?.click();
});
found.addEventListener("click", (event) => {
  if (event.target.closest("a")) { box.value = ""; search(); }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== box) { event.preventDefault(); box.focus(); }
  if (event.key === "Escape") { box.value = ""; search(); box.blur(); }
});
// A page that was left with words in its box comes back with them.
search();
