// What every page has around its text: head, header and footer. Addresses are relative, so that the
// site works below any folder.

import { posix } from 'node:path';
import { escape } from './text.ts';

export const NAME = 'ringzero';
const TAGLINE = 'Snapshots and fork() for WebAssembly';

/** What a page refers to, from where it is. */
export const from = (page: string, target: string): string =>
  posix.relative(posix.dirname(page), target);

interface Head {
  readonly page: string;
  /** Without the name of the product. */
  readonly title: string;
  readonly description: string;
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
}

/** Everything up to the header. */
export function head({ page, title, description, scripts = [], styles = [] }: Head): string {
  const full = escape(title === NAME ? `${NAME}: ${TAGLINE}` : `${title} · ${NAME}`);
  const text = escape(description);
  const sheets = ['style.css', ...styles].map(
    (file) => `<link rel="stylesheet" href="${from(page, file)}">`,
  );
  const programs = ['site.js', ...scripts].map(
    (file) => `<script type="module" src="${from(page, file)}"></script>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${full}</title>
<meta name="description" content="${text}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="${NAME}">
<meta property="og:title" content="${full}">
<meta property="og:description" content="${text}">
<meta name="twitter:card" content="summary">
<meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#101319" media="(prefers-color-scheme: dark)">
<link rel="icon" href="${from(page, 'icon.svg')}" type="image/svg+xml">
${sheets.join('\n')}
<script>document.documentElement.classList.add('scripted')</script>
${programs.join('\n')}
</head>`;
}

const RING = `<svg viewBox="0 0 32 32" aria-hidden="true">
<circle cx="16" cy="16" r="12"/><circle cx="16" cy="16" r="4.5"/></svg>`;

/** The places of the site that each page links to. */
const PLACES = [
  ['documents.html', 'Documentation'],
  ['api/index.html', 'API'],
  ['bench/index.html', 'Benchmarks'],
] as const;

const MENU_BUTTON = `<button type="button" class="menu-open" aria-expanded="false"
  aria-controls="menu" hidden>Menu</button>`;

/** The header; `current` is the place that the page belongs to. */
export function header(page: string, { current = '', hasMenu = false } = {}): string {
  const places = PLACES.map(([target, text]) => {
    const mark = target === current ? ` aria-current="${target === page ? 'page' : 'true'}"` : '';
    return `<a href="${from(page, target)}"${mark}>${text}</a>`;
  });
  const menu = hasMenu ? MENU_BUTTON : '';
  return `<a class="skip" href="#main">Skip to the text</a>
<header class="top">
<a class="brand" href="${from(page, 'index.html')}">${RING}${NAME}</a>
<nav aria-label="Site">${places.join('')}</nav>
<button type="button" class="search-open" data-index="${from(page, 'search.json')}" hidden>
Search <kbd>/</kbd></button>
${menu}</header>`;
}

export const FOOTER = `<footer class="foot">
<p>ringzero is free software under the Apache License 2.0.</p>
</footer>`;
