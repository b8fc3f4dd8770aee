/* Marks on the shared pieces what is this person's own: votes, tracks, wishes, name. #mine says which. */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const WATCHING = ['watcher', 'screen'];
  let votes = new Map(), items = new Set(), hasAccount = false;

  const listed = (text) => (text ?? '').split(' ').filter(Boolean);
  const paired = (text) => new Map(listed(text).map((pair) => pair.split(':')).map(([id, value]) => [id, Number(value)]));
  const setText = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

  function read() {
    const data = byId('mine')?.dataset ?? {};
    return {
      votes: paired(data.votes), items: new Set(listed(data.items)), suggested: paired(data.suggested),
      member: data.member, role: data.role ?? '', skips: data.skips, isAsking: Boolean(data.asking), hasAccount: Boolean(data.account),
    };
  }

  /** Press the two buttons of a row as a vote of 1, -1 or 0 would. */
  function press(id, value) {
    byId(`up-${id}`)?.setAttribute('aria-pressed', String(value === 1));
    byId(`down-${id}`)?.setAttribute('aria-pressed', String(value === -1));
  }

  /** In a room where the host lets tracks on, guests suggest; pressing again takes a suggestion back. */
  function markShelf({ suggested }) {
    const isSuggesting = byId('queue')?.dataset.add === 'suggest';
    for (const row of document.querySelectorAll(':is(#library-list, #source-rows) [data-track]')) {
      const button = row.querySelector('button'), word = button?.querySelector('.result__word');
      if (!word) continue;
      const isWanted = suggested.has(row.dataset.track), title = row.querySelector('.result__title')?.textContent ?? '';
      setText(word, isWanted ? 'Suggested' : isSuggesting ? 'Suggest' : 'Add');
      button.classList.toggle('is-suggested', isWanted);
      const words = isWanted ? `Take back the suggestion of ${title}` : `${isSuggesting ? 'Suggest' : 'Add'} ${title}`;
      if (button.getAttribute('aria-label') !== words) button.setAttribute('aria-label', words);
    }
  }

  /** The vote to skip, for whoever put the track on simply a skip; and the wish for the controls. */
  function markStage({ member, role, skips, isAsking }) {
    const skip = byId('skip-vote'), ask = byId('ask-control');
    if (skip) {
      const isOwn = skip.dataset.by === member && role !== '' && !WATCHING.includes(role);
      skip.hidden = !skip.value || (!isOwn && !skip.dataset.isVote);
      skip.setAttribute('aria-pressed', String(skips === skip.value));
      setText(byId('skip-words'), isOwn ? 'Skip your track' : 'Vote to skip');
    }
    if (ask) {
      ask.value = isAsking ? 'stop' : 'ask';
      ask.setAttribute('aria-pressed', String(isAsking));
      setText(ask.querySelector('span'), isAsking ? 'Asked' : ask.querySelector('span').dataset.words);
    }
    for (const box of document.querySelectorAll('.is-mine-only')) box.hidden = box.dataset.member !== member;
  }

  // A press on what is pressed takes it back.
  document.addEventListener('htmx:config:request', (event) => {
    const { request } = event.detail.ctx, { submitter } = request;
    if (event.defaultPrevented) return;
    if (submitter?.id === 'skip-vote' && submitter.getAttribute('aria-pressed') === 'true') {
      request.method = 'DELETE';
      request.body.delete('play');
      request.action = `${request.action}?play=${submitter.value}`;
    } else if (submitter?.classList.contains('is-suggested')) {
      const { track } = submitter.closest('[data-track]').dataset;
      request.action = `${partyline.base}suggestions/${read().suggested.get(track)}/removal`;
    }
  });

  function mark() {
    const next = read();
    markShelf(next);
    markStage(next);
    for (const id of votes.keys()) if (!next.votes.has(id)) press(id, 0);
    for (const [id, value] of next.votes) press(id, value);
    for (const id of next.items) {
      byId(`queue-item-${id}`)?.classList.add('is-mine');
      const remove = byId(`remove-${id}`);
      if (remove) remove.hidden = false;
    }
    for (const id of items) if (!next.items.has(id)) byId(`queue-item-${id}`)?.classList.remove('is-mine');
    for (const more of document.querySelectorAll('.track__more')) more.hidden = !next.hasAccount;
    byId(`person-${next.member}`)?.classList.add('is-mine');
    ({ votes, items, hasAccount } = next);
  }

  partyline.mine = { vote: (id) => votes.get(id) ?? 0, has: (id) => items.has(id), hasAccount: () => hasAccount, press };
  partyline.on('after', mark);
  // The library is searched beside the room's own pieces.
  document.addEventListener('htmx:after:swap', () => markShelf(read()));
  mark();
})();
