/*
 * Marks in the library, and in what one’s own libraries elsewhere showed, what already waits on the line, and whether this
 * person may add: the line on this screen says.
 */
(() => {
  const { partyline } = window;

  function ordinal(number) {
    const isTeen = number % 100 >= 11 && number % 100 <= 13;
    return `${number}${(!isTeen && { 1: 'st', 2: 'nd', 3: 'rd' }[number % 10]) || 'th'}`;
  }

  function mark() {
    const queue = document.getElementById('queue');
    if (!queue) return;
    const mayAdd = queue.dataset.add !== '';
    const places = new Map([...queue.children].filter((row) => row.dataset.track).map((row, at) => [row.dataset.track, at + 1]));
    for (const row of document.querySelectorAll(':is(#library-list, #source-rows) [data-track]')) {
      const place = places.get(row.dataset.track), button = row.querySelector('button'), done = row.querySelector('.btn--done');
      const words = place ? `In line, ${ordinal(place)}` : '';
      if (words && done.lastElementChild.textContent !== words) done.lastElementChild.textContent = words;
      done.hidden = !place;
      if (button.hidden === (Boolean(place) || !mayAdd)) continue;
      const hadFocus = document.activeElement === button;
      button.hidden = !button.hidden;
      if (hadFocus) (row.nextElementSibling?.querySelector('button:not([hidden]), a') ?? document.getElementById('search')).focus();
    }
  }

  partyline.on('after', mark);
  document.addEventListener('htmx:after:swap', mark);
  mark();
})();
