/* Marks on the shared rows what is this person's own: their votes, their tracks, their name. #mine says which. */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  let votes = new Map(), items = new Set();

  function read() {
    const data = byId('mine')?.dataset ?? {};
    const pairs = (data.votes ?? '').split(' ').filter(Boolean).map((pair) => pair.split(':'));
    return {
      votes: new Map(pairs.map(([id, value]) => [id, Number(value)])),
      items: new Set((data.items ?? '').split(' ').filter(Boolean)),
      member: data.member,
    };
  }

  /** Press the two buttons of a row as a vote of 1, -1 or 0 would. */
  function press(id, value) {
    byId(`up-${id}`)?.setAttribute('aria-pressed', String(value === 1));
    byId(`down-${id}`)?.setAttribute('aria-pressed', String(value === -1));
  }

  function mark() {
    const next = read();
    for (const id of votes.keys()) if (!next.votes.has(id)) press(id, 0);
    for (const [id, value] of next.votes) press(id, value);
    for (const id of next.items) {
      byId(`queue-item-${id}`)?.classList.add('is-mine');
      const remove = byId(`remove-${id}`);
      if (remove) remove.hidden = false;
    }
    for (const id of items) if (!next.items.has(id)) byId(`queue-item-${id}`)?.classList.remove('is-mine');
    byId(`person-${next.member}`)?.classList.add('is-mine');
    ({ votes, items } = next);
  }

  partyline.mine = { vote: (id) => votes.get(id) ?? 0, has: (id) => items.has(id), press };
  partyline.on('after', mark);
  mark();
})();
