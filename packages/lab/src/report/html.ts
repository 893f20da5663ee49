/** Markup that is safe to put into a page as it is. Only {@link html} and {@link rawStyle} make it. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}
export type Child = string | number | Html | readonly Child[];

/** Template literal that escapes every inserted text, in elements and quoted attributes alike; only `Html` goes in as it is. */
export function html(parts: TemplateStringsArray, ...children: readonly Child[]): Html {
  return new Html(parts.reduce((page, part, i) => page + markupOf(children[i - 1] ?? "") + part));
}

/** Text of a style sheet of ours. Not for text from a run. */
export function rawStyle(css: string): Html {
  return new Html(`<style>${css}</style>`);
}

function markupOf(child: Child): string {
  if (child instanceof Html) return child.markup;
  if (typeof child === "string" || typeof child === "number") return escapeHtml(String(child));
  return child.map(markupOf).join("");
}

/** Control characters but tab and newlines have no place in HTML; each is shown as U+FFFD, "�". */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
    .replace(/(?![\t\n\r])\p{Cc}/gu, "\ufffd");
}
