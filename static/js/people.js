/* What may be done about a person: the menu beside their name, and the two sheets that ask before somebody goes. */
(() => {
  const { partyline } = window;
  if (!partyline.link) return;
  const byId = (id) => document.getElementById(id);
  const LEADERS = ['host', 'cohost'];
  const role = () => byId('mine')?.dataset.role ?? '';
  let chosen = null;   // The row whose menu or sheet is open, as it was.

  /** Everybody's list is the same; who leads the room sees more of it (css/doors.css). */
  const mark = () => { document.body.dataset.leads = LEADERS.includes(role()) ? 'yes' : ''; };

  const isHost = () => role() === 'host';
  const isBelow = (them) => them.role === 'guest' || isHost();
  const FITS = {
    'role cohost': (them) => isHost() && them.role === 'guest',
    'role guest': (them) => isHost() && them.role === 'cohost',
    host: () => isHost(),
    control: (them) => them.role === 'guest',
    mute: (them) => !them.isMuted && isBelow(them),
    'mute-for-good': (them) => !them.isMuted && isBelow(them),
    unmute: (them) => them.isMuted && isBelow(them),
    kick: isBelow,
    ban: isBelow,
  };
  const nameOf = ({ act, value }) => (value ? `${act} ${value}` : act);

  function read(row) {
    return {
      id: row.id.slice('person-'.length),
      name: row.querySelector('bdi').textContent,
      role: row.dataset.role,
      isMuted: row.dataset.muted === 'yes',
    };
  }

  // Before the menu opens (ui.js) it is given what fits this person.
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-menu="person-menu"]');
    if (!button) return;
    chosen = read(button.closest('.person'));
    const items = [...byId('person-acts').content.cloneNode(true).children];
    byId('person-menu').replaceChildren(...items.filter((item) => FITS[nameOf(item.dataset)](chosen)));
    if (!byId('person-menu').childElementCount) event.stopPropagation();
  }, true);

  function post(path, values = {}) {
    htmx.ajax('POST', `${partyline.base}${path}`, { source: partyline.link, target: partyline.link, swap: 'none', values });
  }

  const ACTS = {
    role: (them, value) => post(`people/${them.id}/role`, { role: value }),
    host: (them) => post('host', { to: them.id }),
    control: (them) => post(`control/${them.id}`, { grant: 'while' }),
    mute: (them) => post(`people/${them.id}/mute`),
    'mute-for-good': (them) => post(`people/${them.id}/mute`, { minutes: 0 }),
    unmute: (them) => post(`people/${them.id}/unmute`),
    kick: (them) => askFirst('kick', them),
    ban: (them) => askFirst('ban', them),
  };
  document.addEventListener('partyline:menu', ({ detail: { item } }) => {
    const act = item.closest('#person-menu') && ACTS[item.dataset.act];
    if (act && chosen) act(chosen, item.dataset.value);
  });

  function askFirst(act, them) {
    const sheet = byId(act), form = sheet.querySelector('form');
    form.reset();
    form.action = `${partyline.base}people/${them.id}/${act}`;
    for (const name of sheet.querySelectorAll('.out__name')) name.textContent = them.name;
    sheet.showModal();
  }
  for (const act of ['kick', 'ban']) {
    const sheet = byId(act);
    sheet.addEventListener('submit', (event) => {
      event.preventDefault();
      post(`people/${chosen.id}/${act}`, Object.fromEntries(new FormData(event.target)));
      sheet.close();
    });
    sheet.querySelector('[data-close]').addEventListener('click', () => sheet.close());
  }

  partyline.on('after', mark);
  mark();
})();
