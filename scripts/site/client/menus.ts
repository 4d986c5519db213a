// The menu of the documents on a narrow screen, and the list of a page's sections, which marks the
// one that is read.

const NARROW = matchMedia('(max-width: 76rem)');

export function offerMenu(): void {
  const button = document.querySelector<HTMLButtonElement>('.menu-open');
  const menu = document.querySelector('.menu');
  if (button === null || menu === null) return;
  button.hidden = false;
  const set = (isOpen: boolean): void => {
    menu.classList.toggle('open', isOpen);
    button.setAttribute('aria-expanded', String(isOpen));
  };
  button.addEventListener('click', () => set(!menu.classList.contains('open')));
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !menu.classList.contains('open')) return;
    set(false);
    button.focus();
  });
  // What is read is in view, also where the menu is longer than the screen.
  const here = menu.querySelector<HTMLElement>('[aria-current]');
  if (here !== null && menu.scrollHeight > menu.clientHeight)
    menu.scrollTop = here.offsetTop - menu.clientHeight / 3;
}

export function followContents(): void {
  const contents = document.querySelector('.contents details') as HTMLDetailsElement | null;
  if (contents === null) return;
  const fit = (): void => void (contents.open = !NARROW.matches);
  NARROW.addEventListener('change', fit);
  fit();
  const links = new Map(
    [...contents.querySelectorAll('a')].map((link) => [link.hash.slice(1), link]),
  );
  const headings = [...document.querySelectorAll('main :is(h2, h3)')].filter(({ id }) =>
    links.has(id),
  );
  const mark = (): void => {
    const above = headings.filter((heading) => heading.getBoundingClientRect().top < 140);
    const current = (above.at(-1) ?? headings[0])?.id;
    for (const [id, link] of links)
      if (id === current) link.setAttribute('aria-current', 'location');
      else link.removeAttribute('aria-current');
  };
  const observer = new IntersectionObserver(mark, { rootMargin: '-120px 0px -60% 0px' });
  for (const heading of headings) observer.observe(heading);
  mark();
}
