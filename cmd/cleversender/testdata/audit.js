// What is wrong with the page as it is shown now, in words; nothing: [].
// WCAG 2.2: 1.1.1, 1.3.1, 1.4.3, 1.4.10, 2.4.2, 2.4.4, 3.1.1, 4.1.2.
(width) => {
  const wrong = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (e) => e.checkVisibility() && e.getClientRects().length > 0;
  const text = (s) => (s || "").replace(/\s+/g, " ").trim();
  const name = (e) => `<${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}> ${text(e.textContent).slice(0, 40)}`;
  const named = (e) => text(e.getAttribute("aria-label")) ||
    text((e.getAttribute("aria-labelledby") || "").split(/\s+/).map((id) => document.getElementById(id)?.textContent || "").join(" "));

  if (!text(document.title)) wrong.push("no title");
  if (!document.documentElement.lang) wrong.push("no language");
  if (all("h1").length !== 1) wrong.push(`${all("h1").length} h1`);
  if (all("main").length !== 1) wrong.push(`${all("main").length} main`);
  let level = 1;
  for (const h of all("h1, h2, h3, h4").filter(seen)) {
    const own = Number(h.tagName[1]);
    if (own > level + 1) wrong.push(`a heading skips a level: ${name(h)}`);
    level = own;
  }
  for (const e of all("input:not([type=hidden]), select, textarea")) {
    if (![...e.labels].some((l) => text(l.textContent)) && !named(e)) wrong.push(`no label: ${e.outerHTML.slice(0, 80)}`);
  }
  for (const e of all("button, a[href], summary")) if (!text(e.textContent) && !named(e)) wrong.push(`no name: ${e.outerHTML.slice(0, 80)}`);
  for (const e of all("img")) if (!e.hasAttribute("alt")) wrong.push(`no alt: ${e.outerHTML.slice(0, 80)}`);
  for (const e of all("svg[role=img], progress, iframe")) if (!named(e) && !text(e.getAttribute("title"))) wrong.push(`no name: ${e.outerHTML.slice(0, 80)}`);
  for (const e of all("svg:not([role])")) if (e.getAttribute("aria-hidden") !== "true") wrong.push("a picture that is neither named nor hidden");
  for (const e of all("th")) if (!e.scope) wrong.push(`a heading cell without scope: ${name(e)}`);
  const ids = all("[id]").map((e) => e.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) wrong.push(`two elements have the id ${id}`);
  for (const e of all("[style], style:not([media]), script:not([src])")) {
    if (e.tagName !== "STYLE" || document.querySelector("link[rel=stylesheet]")) wrong.push(`inline: ${e.outerHTML.slice(0, 80)}`);
  }

  if (document.documentElement.scrollWidth > width) {
    const clipped = (e) => e && e !== document.body && (getComputedStyle(e).overflowX !== "visible" || clipped(e.parentElement));
    const wide = all("body *").filter((e) => seen(e) && e.getBoundingClientRect().right > width + 1 && !clipped(e.parentElement));
    wrong.push(`${document.documentElement.scrollWidth} wide in a window of ${width}: ${wide.slice(-1).map(name)}`);
  }

  const colour = (s) => {
    const n = s.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
    if (!n) wrong.push(`a colour that is not understood: ${s}`);
    return n ? [n[1], n[2], n[3], n[4] ?? 1].map(Number) : [0, 0, 0, 1];
  };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const behind = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) layers.push(colour(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  if (dark !== luminance(behind(document.body)) < 0.2) wrong.push(`the page is ${dark ? "not " : ""}dark`);
  for (const e of all("body *").filter(seen)) {
    const own = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && text(n.data));
    if (!own || ["SCRIPT", "OPTION", "TITLE", "DESC"].includes(e.tagName.toUpperCase())) continue;
    const style = getComputedStyle(e), back = behind(e);
    const front = over(colour(e instanceof SVGElement ? style.fill : style.color), back);
    const [light, low] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (low + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ${name(e)}`);
  }
  return wrong;
}
