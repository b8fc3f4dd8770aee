/*
 * The list of rooms on the front page, kept up to date: cards change where they stand and never trade places. New rooms
 * are counted on a button instead of pushing the others about. Without a socket the page asks now and then.
 */
(() => {
  const LOST_MS = 10000, POLL_MS = 10000, SHOWN_MOST = 240;
  const lobby = document.getElementById('lobby'), news = document.getElementById('rooms-news');
  if (!lobby) return;
  const come = new Set();
  let socket = null, closedAt = performance.now(), polledAt = performance.now();

  const cards = () => [...document.querySelectorAll('#rooms-list > [data-room]')];
  const codes = () => cards().map((card) => card.dataset.room).slice(-SHOWN_MOST);
  const list = () => document.getElementById('room-cards').dataset;

  function tellNews() {
    const words = `${come.size} new ${come.size === 1 ? 'room' : 'rooms'}`;
    // Which of them would be found by a search, only the server knows.
    const isDue = come.size > 0 && !list().search;
    if (isDue && news.textContent !== words) news.textContent = words;
    news.hidden = !isDue;
  }

  function askForShown() {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ t: 'shown', codes: codes(), since: Number(list().at) }));
  }

  /** A room that lost people may come again with the next page; the one that stood here first stays. */
  function dropDoubles() {
    const seen = new Set();
    for (const card of cards()) {
      if (seen.has(card.id)) card.remove();
      seen.add(card.id);
    }
  }

  document.addEventListener('htmx:ws:after:connection', ({ detail }) => {
    socket = detail.connection.socket;
    closedAt = Infinity;
    askForShown();
  });
  document.addEventListener('htmx:ws:close', () => {
    socket = null;
    closedAt = Math.min(closedAt, performance.now());
  });
  document.addEventListener('htmx:ws:before:message:incoming', (event) => {
    const { data } = event.detail.message;
    if (typeof data !== 'string' || !data.startsWith('{')) return;
    event.preventDefault();
    const said = JSON.parse(data);
    if (said.t === 'again') askForShown();
    if (said.t !== 'rooms') return;
    const shown = new Set(codes());
    for (const code of said.come) if (!shown.has(code)) come.add(code);
    for (const code of said.gone) come.delete(code);
    tellNews();
    if (said.come.some((code) => document.getElementById(`room-card-${code}`))) askForShown();
  });

  document.addEventListener('htmx:after:request', ({ detail: { ctx } }) => {
    // A list asked for anew holds the new ones already.
    if (ctx.sourceElement.id === 'find' && ctx.response?.status < 400) come.clear();
  });
  document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
    dropDoubles();
    tellNews();
    if (['find', 'more-rooms'].includes(ctx?.sourceElement?.id)) askForShown();
  });

  setInterval(() => {
    const now = performance.now();
    if (document.hidden || !navigator.onLine || now - closedAt < LOST_MS || now - polledAt < POLL_MS) return;
    polledAt = now;
    htmx.ajax('GET', `/discover?shown=${codes().join(',')}`, { source: lobby, target: lobby, swap: 'none' });
  }, 1000);
})();
