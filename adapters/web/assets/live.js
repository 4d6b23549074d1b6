// Keeps the numbers of running campaigns up to date, and shows a template's preview
// at once. Without it the pages show numbers as they were when asked for, and a
// preview when its button is pressed.
"use strict";
const spaced = new Intl.NumberFormat("en").format;
const write = (n) => spaced(n).replaceAll(",", "\u202f");

async function follow(part) {
  for (;;) {
    await new Promise((done) => setTimeout(done, document.hidden ? 5000 : 1000));
    let now;
    try {
      const answer = await fetch(part.dataset.live, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return;
      now = await answer.json();
    } catch {
      continue; // the server is not there; it may come back
    }
    for (const field of part.querySelectorAll("[data-field]")) {
      const value = now[field.dataset.field];
      if (field.tagName === "PROGRESS") {
        field.max = Math.max(now.recipients, 1);
        field.value = value;
      } else if (typeof value === "number") {
        field.textContent = write(value);
      }
    }
    for (const share of part.querySelectorAll("[data-share]")) {
      const [some, all] = share.dataset.share.split("/").map((field) => now[field]);
      if (share.tagName === "rect") share.setAttribute("width", all ? (100 * some) / all : 0);
      else share.textContent = all ? ((100 * some) / all).toFixed(1) + "\u202f%" : "–";
    }
    const settled = now.recipients > 0 && !part.querySelector("progress"); // there is something to show now
    const drawn = now.sent > 0 && part.dataset.charts === "0"; // and something to draw
    if (settled || drawn || now.status !== part.dataset.status) {
      location.reload();
      return;
    }
  }
}

document.querySelectorAll("[data-live]").forEach(follow);
document.querySelectorAll("[data-first]").forEach((button) => button.form.requestSubmit(button));
