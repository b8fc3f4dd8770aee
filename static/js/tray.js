/* Who waits for the host's word: a count on the phone's tab, and a polite line when somebody new waits. */
(() => {
  const { partyline } = window;
  const tray = () => document.getElementById('requests');
  const count = () => (tray()?.hidden === false ? Number(tray().dataset.count) : 0);
  let shown = count();

  function badge(number) {
    const tab = document.querySelector('#tabs [data-tab="line"]');
    if (!tab) return;
    let mark = tab.querySelector('.tabs__badge');
    if (!number) { mark?.remove(); return; }
    if (!mark) {
      mark = document.createElement('span');
      mark.className = 'tabs__badge';
      const words = document.createElement('span');
      Object.assign(words, { className: 'sr', textContent: ' waiting for your OK' });
      mark.append(document.createTextNode(''), words);
      tab.append(mark);
    }
    mark.firstChild.data = String(number);
  }

  partyline.on('after', () => {
    const next = count();
    if (next > shown) partyline.say?.(`${next} waiting for your OK`);
    if (next !== shown) badge(next);
    shown = next;
  });
  badge(shown);
})();
