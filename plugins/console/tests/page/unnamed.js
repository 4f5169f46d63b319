// What has no name, no header or no key: an empty list where everybody can use the page.
() => {
  const found = [];
  const seen = (e) => e.getClientRects().length > 0;
  for (const e of document.querySelectorAll("input, select, textarea"))
    if (e.type !== "hidden" && seen(e) && !e.labels?.length && !e.ariaLabel) found.push(e.outerHTML);
  for (const e of document.querySelectorAll("a, button"))
    if (seen(e) && !(e.innerText.trim() || e.ariaLabel)) found.push(e.outerHTML);
  for (const e of document.querySelectorAll("table")) {
    if (!e.caption) found.push("no caption: " + e.outerHTML.slice(0, 200));
    for (const h of e.querySelectorAll("th")) if (!h.scope) found.push("no scope: " + h.outerHTML);
  }
  for (const e of document.querySelectorAll("svg[role], canvas, img"))
    if (!e.closest("[aria-label], [alt]")) found.push(e.outerHTML.slice(0, 200));
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  found.push(...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => "twice: " + id));
  for (const e of document.querySelectorAll("[tabindex]"))
    if (e.tabIndex > 0) found.push("tabindex: " + e.outerHTML.slice(0, 200));
  for (const e of document.querySelectorAll(".gw-table"))
    if (e.scrollWidth > e.clientWidth && e.tabIndex !== 0) found.push("scrolls without keys");
  return found;
}
