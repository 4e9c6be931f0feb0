// Keeps the page current: the server sends the pieces that changed, and they are merged into what is shown, so that
// the focus, what is unfolded and what is typed stay. Only while the page is visible: a browser opens few connections.
"use strict";
(() => {
  const state = document.getElementById("etat-direct");
  const finished = document.getElementById("fin-direct");
  const REASONS = {
    session: "Votre session est terminée : ce qui est affiché n’est plus mis à jour.",
    gone: "Ce qui était affiché n’existe plus.",
  };
  let stream = null;

  const say = (text, tone) => {
    state.hidden = false;
    state.textContent = text;
    state.dataset.tone = tone;
  };

  const keep = {
    beforeNodeMorphed: (shown) => !(shown instanceof HTMLInputElement || shown instanceof HTMLSelectElement || shown instanceof HTMLTextAreaElement),
    beforeAttributeUpdated: (name, node) => !(name === "open" && node instanceof HTMLDetailsElement),
  };

  const merge = (pieces) => {
    for (const [name, html] of Object.entries(pieces)) {
      const place = document.getElementById(`live-${name}`);
      if (place) Idiomorph.morph(place, html, { morphStyle: "innerHTML", callbacks: keep });
    }
  };

  const stop = () => {
    if (stream) stream.close();
    stream = null;
  };

  const start = () => {
    if (stream || document.hidden) return;
    stream = new EventSource(location.href);
    stream.addEventListener("open", () => say("En direct", "good"));
    stream.addEventListener("pieces", (event) => merge(JSON.parse(event.data)));
    stream.addEventListener("ended", (event) => {
      stop();
      say("Arrêté", "bad");
      finished.hidden = false;
      finished.textContent = REASONS[JSON.parse(event.data).reason] || REASONS.gone;
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = " Recharger la page";
      finished.append(link);
    });
    stream.addEventListener("error", () => {
      say("Reconnexion…", "bad");
      // The browser tries again by itself, unless the server refused: then we do, less often.
      if (stream && stream.readyState === EventSource.CLOSED) {
        stop();
        setTimeout(start, 10000);
      }
    });
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  addEventListener("pagehide", stop);
  start();
})();
