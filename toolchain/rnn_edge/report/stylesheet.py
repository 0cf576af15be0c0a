"""The page's style sheet: system fonts, light and dark, screen, phone and paper."""

from __future__ import annotations

STYLESHEET = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1d2329; --soft: #5b6670; --line: #d5dbe1; --panel: #f5f7f9;
  --link: #0b5cad; --good: #1a7f4b; --bad: #b3261e; --warn: #fff1cc; --warn-ink: #5c4300;
  --shadow: #0003;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --ink: #e4e8ec; --soft: #a0abb5; --line: #38414a; --panel: #1d2328;
    --link: #7ab8ff; --good: #5ccb93; --bad: #ff8a80; --warn: #4a3a0c; --warn-ink: #ffe7a8;
    --shadow: #fff5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 68rem; padding: 1.25rem 1rem 3rem; background: var(--paper);
  color: var(--ink); line-height: 1.5; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1 { font-size: 1.7rem; margin: 0; line-height: 1.2; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
h4 { font-size: .92rem; margin: 1.1rem 0 .25rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
a { color: var(--link); }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em; }
.soft, figcaption, .tile small, caption { color: var(--soft); }
.banner, .warning {
  margin: 1rem 0; padding: .7rem 1rem; border-left: .4rem solid #e0a100;
  background: var(--warn); color: var(--warn-ink); max-width: none;
}
.warning ul { margin: .3rem 0 0; padding-left: 1.2rem; }
nav { margin: 1rem 0; }
nav ul {
  display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: 0; padding: 0;
}
.tiles {
  display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr));
}
.tiles.broad { grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); }
.tiles + p { margin-top: .8rem; }
.tile {
  background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
  padding: .7rem .9rem;
}
.tile span { display: block; font-size: .9rem; }
.tile strong {
  display: block; font-size: 1.6rem; line-height: 1.35; font-variant-numeric: tabular-nums;
}
.tile small { display: block; font-size: .85rem; }
.good { color: var(--good); }
.bad { color: var(--bad); }
td.main { font-weight: 600; }
td.wide { min-width: 13rem; }
ul { margin: .3rem 0 .8rem; padding-left: 1.3rem; }
li { max-width: 58rem; }
/* A shadow at the side where more of a table is out of sight. */
.scroll {
  overflow-x: auto; max-width: 100%; margin: .6rem 0 1.2rem; scrollbar-width: thin;
  background:
    linear-gradient(to right, var(--paper) 40%, transparent) left / 2rem 100%,
    linear-gradient(to left, var(--paper) 40%, transparent) right / 2rem 100%,
    linear-gradient(to right, var(--shadow), transparent) left / .7rem 100%,
    linear-gradient(to left, var(--shadow), transparent) right / .7rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll;
}
table {
  border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums;
  overflow-wrap: normal;
}
caption { text-align: left; padding-bottom: .3rem; font-size: .9rem; }
th, td {
  padding: .28rem .7rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top;
}
thead th { vertical-align: bottom; border-bottom: 2px solid var(--line); }
th { font-weight: 600; }
tbody th {
  position: sticky; left: 0; background: var(--paper); font-weight: 500; max-width: 16rem;
}
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
td small, th small { display: block; color: var(--soft); font-weight: 400; }
.confusion { font-size: .85rem; }
.confusion td {
  text-align: center; padding: .25rem 0; min-width: 1.95rem; border: 1px solid var(--line);
}
.pair { display: flex; flex-wrap: wrap; gap: 0 2rem; }
.pair > .scroll { max-width: 100%; }
.confusion thead td { border: 0; }
.confusion thead th { padding: .3rem 0; text-align: center; }
.confusion thead th span {
  display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg);
  max-height: 9rem;
}
.confusion tbody th { text-align: right; white-space: nowrap; }
.confusion .none { color: var(--soft); opacity: .5; }
.plots {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr));
  gap: 1rem 1.2rem;
}
.plots.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 28rem), 1fr)); }
figure { margin: 0; }
figure svg { display: block; width: 100%; height: auto; --grid: var(--line); }
figcaption { font-size: .9rem; }
figcaption b { color: var(--ink); }
.legend {
  display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .4rem 0 .8rem; font-size: .9rem;
}
.legend svg { width: 2.2rem; height: .8rem; vertical-align: middle; margin-right: .4rem; }
footer { margin-top: 3rem; font-size: .85rem; color: var(--soft); }
@media (max-width: 34rem) {
  h1 { font-size: 1.4rem; }
  th, td { padding: .25rem .45rem; }
  tbody th { max-width: 9rem; }
}
@media print {
  :root {
    --paper: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --panel: #ffffff;
    --good: #1a7f4b; --bad: #b3261e; --warn: #ffffff; --warn-ink: #000000;
  }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  .scroll { overflow: visible; background: none; }
  table { font-size: 7.5pt; }
  th, td { padding: .15rem .35rem; }
  td.wide { min-width: 0; }
  tbody th { position: static; }
  .plots, .plots.wide { grid-template-columns: 1fr 1fr; }
  figure, .tile, tr { break-inside: avoid; }
  h2, h3, h4, caption { break-after: avoid; }
  .confusion { font-size: 7pt; }
  .confusion td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
""".strip()
