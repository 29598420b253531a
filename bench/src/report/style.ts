/** The page's whole style: no fonts, images or scripts from anywhere. */
export const STYLE = `
:root { color-scheme: light dark; --page: #fbfbfa; --card: #fff; --text: #1d2129; --faint: #667085; --line: #e3e5ea; --own: #2563eb; --other: #a8b2c4;
  --good: #15803d; --fine: #4d7c0f; --bad: #b42318; --none: #667085;
  --s0: #2563eb; --s1: #0d9488; --s2: #d97706; --s3: #9333ea; --s4: #64748b; --s5: #db2777; --s6: #65a30d; --s7: #0ea5e9; }
@media (prefers-color-scheme: dark) { :root { --page: #14161b; --card: #1b1e25; --text: #e6e8ee; --faint: #9aa3b5; --line: #2d323d; --own: #6ea0ff;
  --other: #56607a; --good: #4ade80; --fine: #bef264; --bad: #fb7185; --none: #9aa3b5;
  --s0: #6ea0ff; --s1: #2dd4bf; --s2: #fbbf24; --s3: #c084fc; --s4: #94a3b8; --s5: #f472b6; --s6: #a3e635; --s7: #38bdf8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 40px 0 4px; }
p { margin: 4px 0; } p.faint, small, td.faint { color: var(--faint); } small { font-weight: normal; margin-left: 6px; }
section { border-top: 1px solid var(--line); margin-top: 32px; } section > p { margin-bottom: 12px; }
nav { margin-top: 16px; display: flex; flex-wrap: wrap; gap: 4px 14px; } nav a { color: var(--own); text-decoration: none; } nav a:hover { text-decoration: underline; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); gap: 14px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px 14px; }
figcaption { font-weight: 600; margin-bottom: 8px; } svg { display: block; width: 100%; height: auto; }
svg text { font: 13px system-ui, sans-serif; fill: var(--text); dominant-baseline: central; } svg .label { text-anchor: end; } svg .value { text-anchor: end; fill: var(--faint); }
.own { fill: var(--own); } .other { fill: var(--other); } .whisker { stroke: var(--text); stroke-width: 1.2; fill: none; opacity: .7; }
${[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `.stage${n} { fill: var(--s${n}); background: var(--s${n}); }`).join(' ')}
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 10px 0; color: var(--faint); }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; background: var(--card); font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; } th { font-weight: 600; } td.number, th.number { text-align: right; white-space: nowrap; }
.badge { display: inline-block; min-width: 88px; text-align: center; border-radius: 99px; padding: 1px 10px; font-size: 13px; border: 1px solid currentColor; white-space: nowrap; }
.stretch { color: var(--good); font-weight: 600; } .hit { color: var(--fine); } .missed { color: var(--bad); font-weight: 600; } .none { color: var(--none); }
details { margin-top: 14px; } summary { cursor: pointer; color: var(--faint); }
`;
