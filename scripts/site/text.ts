// Texts on their way into a page: escaped, without markup, shortened, or as the name of a place.

/** The text as HTML, also within an attribute. */
export const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

/** The name that a heading gets, as GitHub names it. */
export const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

/** Markdown of a line or a paragraph, without its marks. */
export const plain = (markdown: string): string =>
  markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*|]|(?<=^|\s)[#>-]+(?=\s)|:?-{3,}:?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** At most `limit` characters, cut between words. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, text.lastIndexOf(' ', limit - 1)).replace(/[,;:.]$/, '')}…`;
}
