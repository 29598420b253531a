import type { Frame, FunctionCost, ProfileSummary } from './cpu-profile.ts';

export interface Measured {
  readonly title: string;
  readonly subtitle: string;
}

const TABLE_ROWS = 60;
const WIDTH = 1600;
const ROW_HEIGHT = 18;
/** Narrower frames are left out: nobody could read or point at them. */
const NARROWEST = 0.7;
const DEPTH_MAX = 120;
const CHARACTER_WIDTH = 6.6;

/** One self-contained page: a flame graph (click a frame to zoom, the bottom row to go back) and the functions by self time. */
export function flamePage({ title, subtitle }: Measured, summary: ProfileSummary): string {
  const boxes: string[] = [];
  const depth = draw(summary.root, summary.busyMicros, boxes);
  const height = (depth + 1) * ROW_HEIGHT;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1><p>${escaped(subtitle)}</p>
<svg id="flame" viewBox="0 0 ${WIDTH} ${height}" width="100%" preserveAspectRatio="none" style="height:${height}px">${boxes.join('')}</svg>
<h2>Functions by self time</h2>${functionTable(summary)}
<script>${ZOOM}</script></body></html>
`;
}

function draw(root: Frame, whole: number, boxes: string[]): number {
  let deepest = 0;
  const visit = (frame: Frame, left: number, depth: number): void => {
    const width = (frame.totalMicros / Math.max(whole, 1)) * WIDTH;
    if (width < NARROWEST || depth > DEPTH_MAX) {
      return;
    }
    deepest = Math.max(deepest, depth);
    boxes.push(box(frame, left, depth, width, whole));
    let at = left;
    for (const child of frame.children) {
      visit(child, at, depth + 1);
      at += (child.totalMicros / Math.max(whole, 1)) * WIDTH;
    }
  };
  visit(root, 0, 0);
  return deepest;
}

function box(frame: Frame, left: number, depth: number, width: number, whole: number): string {
  const self = percent(frame.selfMicros, whole);
  const tip = `${frame.name} ${frame.place}\ntotal ${percent(frame.totalMicros, whole)} (${milliseconds(frame.totalMicros)} ms), self ${self}`;
  const label = width > 30 ? frame.name.slice(0, Math.floor(width / CHARACTER_WIDTH)) : '';
  const x = left.toFixed(2);
  return `<g data-x="${x}" data-w="${width.toFixed(2)}" data-d="${depth}" data-n="${escaped(frame.name)}"><title>${escaped(tip)}</title><rect x="${x}" y="${depth * ROW_HEIGHT}" width="${width.toFixed(2)}" height="${ROW_HEIGHT - 1}" fill="${colour(frame)}"/><text x="${(left + 3).toFixed(2)}" y="${depth * ROW_HEIGHT + 13}">${escaped(label)}</text></g>`;
}

/** Ours are orange, packages green, Node's own blue, native and runtime grey. */
function colour({ name, place }: Frame): string {
  if (place === '') {
    return name === '(garbage collector)' ? '#d66' : '#c4c4c4';
  }
  if (place.startsWith('node:')) {
    return '#9ec5f0';
  }
  return place.includes('/src/') ? '#f4b266' : '#a8d5a2';
}

function functionTable({ functions, busyMicros }: ProfileSummary): string {
  const rows = functions.slice(0, TABLE_ROWS).map((cost) => functionRow(cost, busyMicros));
  return `<table><tr><th>self</th><th>total</th><th>self ms</th><th>function</th><th>place</th></tr>${rows.join('')}</table>`;
}

function functionRow({ name, place, selfMicros, totalMicros }: FunctionCost, whole: number): string {
  const cells = [percent(selfMicros, whole), percent(totalMicros, whole), milliseconds(selfMicros), name, place];
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
}

/** The functions that cost most by themselves, as lines of text. */
export function functionLines({ functions, busyMicros }: ProfileSummary, most: number): readonly string[] {
  return functions
    .slice(0, most)
    .map(
      ({ name, place, selfMicros, totalMicros }) =>
        `  ${percent(selfMicros, busyMicros).padStart(6)} self ${percent(totalMicros, busyMicros).padStart(6)} total  ${name}  ${place}`,
    );
}

export function milliseconds(micros: number): string {
  return (micros / 1000).toFixed(1);
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(whole, 1)).toFixed(1)}%`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const STYLE = `body{font:14px system-ui,sans-serif;margin:16px;background:#fff;color:#222}h1{font-size:18px;margin:0}h2{font-size:15px}
svg text{font:11px monospace;pointer-events:none}svg g{cursor:pointer}svg rect{stroke:#fff;stroke-width:.3}
table{border-collapse:collapse;font:12px monospace}td,th{padding:2px 10px;text-align:left;border-bottom:1px solid #eee}td:nth-child(-n+3){text-align:right}`;

const ZOOM = `(function(){const W=${WIDTH},C=${CHARACTER_WIDTH};const all=[...document.querySelectorAll('#flame g')];
function show(from,width,depth){const k=W/width;for(const g of all){const x=+g.dataset.x,w=+g.dataset.w,d=+g.dataset.d;
let nx=(x-from)*k,nw=w*k;const outside=nx+nw<=0.01||nx>=W-0.01;if(d<depth&&!outside){nx=0;nw=W}
g.style.display=outside?'none':'';const r=g.querySelector('rect'),t=g.querySelector('text');
r.setAttribute('x',nx);r.setAttribute('width',Math.max(nw,0));t.setAttribute('x',nx+3);t.textContent=nw>30?g.dataset.n.slice(0,Math.floor(nw/C)):''}}
for(const g of all)g.addEventListener('click',()=>show(+g.dataset.x,+g.dataset.w,+g.dataset.d))})()`;
