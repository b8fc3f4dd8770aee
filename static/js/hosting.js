/* An offer of the host's place shows on its person's screen only; a room is deleted by its name, letter for letter. */
(() => {
  const { partyline } = window;

  function showOffer() {
    const offer = document.querySelector('#banner [data-offered]');
    if (offer) offer.hidden = offer.dataset.offered !== document.getElementById('mine')?.dataset.member;
  }
  partyline?.on?.('after', showOffer);
  showOffer();

  const check = (field) => {
    const isSame = field.value.trim().normalize() === field.dataset.exactly;
    field.setCustomValidity(isSame ? '' : `Type “${field.dataset.exactly}”, letter for letter.`);
  };
  const fieldOf = (event) => event.target.closest?.('form')?.querySelector('[data-exactly]');
  document.addEventListener('input', (event) => { if (event.target.dataset?.exactly !== undefined) check(event.target); });
  // An untouched field has not been compared yet.
  document.addEventListener('click', (event) => { const field = event.target.closest('button') && fieldOf(event); if (field) check(field); });
})();
