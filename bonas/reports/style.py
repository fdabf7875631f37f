"""Style sheet of the page, and the script that sorts and searches its table."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""The content security policy: the browser makes no network request for the page."""

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #656d76; --line: #d8dee4;
  --back: #ffffff; --card: #f6f8fa; --accent: #0072b2; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #30363d;
  --back: #0d1117; --card: #161b22; --accent: #56b4e9; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; color: var(--ink);
  background: var(--back); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; font-weight: 600; margin: 0.5rem 0 0; }
h2 { font-size: 1.15rem; font-weight: 600; margin: 2.5rem 0 0.75rem; }
p { margin: 0.25rem 0 1rem; }
.soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
  gap: 0.75rem; margin: 1.5rem 0 0; }
.tile { padding: 0.6rem 0.9rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; }
.tile b { display: block; font-size: 1.35rem; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 0.85rem; }
.figure { overflow-x: auto; margin: 0 0 1rem; }
.figure svg { display: block; width: 100%; min-width: 32rem; height: auto; }
.picture { --back: #fcfcfb; padding: 0.5rem; background-color: #fcfcfb; color: #1f2328;
  border: 1px solid var(--line); border-radius: 8px; }
.picture svg { width: auto; min-width: 0; margin: 0 auto; }
.scroll { overflow: auto; max-height: 32rem; border: 1px solid var(--line); border-radius: 8px; }
/* A shadow at the side on which there is more to see. */
.scroll, .figure { --shade: rgba(110, 118, 129, 0.45); scrollbar-width: thin;
  background: linear-gradient(to right, var(--back) 40%, transparent) 0 0 / 2.5rem 100% local,
    linear-gradient(to left, var(--back) 40%, transparent) 100% 0 / 2.5rem 100% local,
    linear-gradient(to right, var(--shade), transparent) 0 0 / 0.9rem 100% scroll,
    linear-gradient(to left, var(--shade), transparent) 100% 0 / 0.9rem 100% scroll;
  background-repeat: no-repeat; }
.sideways { display: none; }
.search { font: inherit; width: min(24rem, 100%); padding: 0.35rem 0.6rem; margin-right: 0.75rem;
  color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
th, td { padding: 0.35rem 0.75rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
.trials thead th { position: sticky; top: 0; background: var(--card); padding: 0; }
.trials th button { all: unset; cursor: pointer; display: block; box-sizing: border-box;
  width: 100%; padding: 0.45rem 0.75rem;
  white-space: nowrap; font-weight: 600; }
.trials th button:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.trials th[aria-sort] button { color: var(--accent); }
.trials th[aria-sort=ascending] button::after { content: " \\2191"; }
.trials th[aria-sort=descending] button::after { content: " \\2193"; }
.trials td { white-space: nowrap; font-variant-numeric: tabular-nums; }
.trials .number { text-align: right; }
.trials td:last-child { font-family: ui-monospace, monospace; font-size: 0.8rem;
  white-space: normal; overflow-wrap: anywhere; min-width: 24rem; }
.trials .failed td { color: var(--bad); }
.trials .best td { font-weight: 600; }
.facts { border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; }
.facts td { overflow-wrap: anywhere; }
.facts thead { display: none; }
.facts td:first-child { color: var(--soft); width: 11rem; overflow-wrap: normal; }
details { margin: 0.5rem 0; padding: 0.5rem 0.9rem; border: 1px solid var(--line);
  border-radius: 8px; }
summary { cursor: pointer; }
details > div { overflow-x: auto; }
pre { margin: 0.5rem 0 0; overflow-x: auto; font: 0.8rem/1.45 ui-monospace, monospace; }
@media (max-width: 34rem) { body { padding-top: 0.75rem; } .facts td:first-child { width: 7rem; }
  .sideways { display: block; } }
@media (min-width: 66rem) { .scroll { --wide: min(100vw - 3rem, 90rem); width: var(--wide);
  margin-left: calc(50% - var(--wide) / 2); } }
"""

SCRIPT = """
for (const head of document.querySelectorAll('.trials th')) {
  head.firstElementChild.addEventListener('click', () => {
    const up = head.getAttribute('aria-sort') !== 'ascending';
    for (const other of head.parentElement.children) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const body = head.closest('table').tBodies[0];
    const value = (row) => {
      const cell = row.cells[head.cellIndex];
      return 'value' in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
    };
    const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1);
    const rows = [...body.rows].sort((one, other) => order(value(one), value(other)));
    body.append(...rows);
  });
}
const box = document.querySelector('.search');
if (box) {
  const rows = [...document.querySelectorAll('.trials tbody tr')];
  const search = () => {
    const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
    for (const row of rows) {
      const text = [...row.cells].map((cell) => cell.textContent).join('\\n').toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    document.querySelector('.shown').textContent = `${shown} of ${rows.length} trials`;
  };
  box.addEventListener('input', search);
  search();
}
"""
