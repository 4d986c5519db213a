// Terms of the page that need a line: each is a button, and the line shows while it is pointed at,
// focused or pressed.

const GAP = 6;
const EDGE = 12;

export function explainTerms(): void {
  for (const term of document.querySelectorAll<HTMLButtonElement>('button.term')) {
    const hint = document.createElement('span');
    hint.className = 'hint';
    hint.popover = 'manual';
    hint.id = `hint-${term.textContent!.trim().replace(/\W+/g, '-')}`;
    hint.setAttribute('role', 'tooltip');
    hint.textContent = term.dataset['hint']!;
    term.setAttribute('aria-describedby', hint.id);
    term.after(hint);
    const show = (): void => {
      if (hint.matches(':popover-open')) return;
      hint.showPopover();
      const { left, bottom } = term.getBoundingClientRect();
      const most = document.documentElement.clientWidth - hint.offsetWidth - EDGE;
      hint.style.left = `${Math.max(EDGE, Math.min(left, most))}px`;
      hint.style.top = `${bottom + GAP}px`;
    };
    const hide = (): void => hint.hidePopover();
    for (const event of ['pointerenter', 'focus', 'click']) term.addEventListener(event, show);
    for (const event of ['pointerleave', 'blur']) term.addEventListener(event, hide);
    term.addEventListener('keydown', ({ key }) => void (key === 'Escape' && hide()));
    addEventListener('scroll', hide, { passive: true });
  }
}
