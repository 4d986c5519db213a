// A button at each block of code that copies it. Of a console's session it copies what is typed.

const SHOWN_MS = 1500;

function textOf(block: Element): string {
  const text = block.textContent ?? '';
  const typed = text.split('\n').filter((line) => line.startsWith('$ '));
  return typed.length > 0 ? typed.map((line) => line.slice(2)).join('\n') : text;
}

/** Makes the button copy what `text` gives, and say so. */
function copies(button: HTMLButtonElement, text: () => string): void {
  const label = button.textContent;
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(text()).then(
      () => (button.textContent = 'Copied'),
      () => (button.textContent = 'Not allowed'),
    );
    setTimeout(() => (button.textContent = label), SHOWN_MS);
  });
}

export function offerCopies(): void {
  if (navigator.clipboard === undefined) return; // not a secure page
  for (const block of document.querySelectorAll('.code')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', 'Copy this code');
    copies(button, () => textOf(block.querySelector('pre')!));
    block.append(button);
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-copy]')) {
    button.hidden = false;
    copies(button, () => button.dataset['copy']!);
  }
}
