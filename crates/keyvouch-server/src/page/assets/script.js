// Makes the page easier to use. Nothing of it is needed.
"use strict";

(() => {
  const form = document.querySelector("form.appraise");
  if (!form) return;

  const status = form.querySelector("[data-status]");
  const say = (text) => { status.textContent = text; };
  const places = new Map();

  const size = (bytes) =>
    bytes < 10240 ? `${bytes} bytes` : bytes < 1048576 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.ceil(bytes / 1048576)} MiB`;

  const same = (a, b) => a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;

  const button = (text, name, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "plain";
    made.textContent = text;
    made.setAttribute("aria-label", `${text}: ${name}`);
    made.addEventListener("click", action);
    return made;
  };

  // A place for files: what is in its input is what is sent.
  const place = (name) => {
    const box = form.querySelector(`[data-drop="${name}"]`);
    const input = box.querySelector("input");
    const list = box.querySelector("[data-files]");
    let files = [];

    const show = () => {
      const all = new DataTransfer();
      files.forEach((file) => all.items.add(file));
      input.files = all.files;
      list.replaceChildren(...files.map((file, at) => {
        const item = document.createElement("li");
        const words = document.createElement("span");
        const strong = document.createElement("strong");
        strong.textContent = file.name;
        words.append(strong, ` ${size(file.size)}`);
        item.append(words);
        const buttons = document.createElement("span");
        if (name === "evidence") {
          buttons.append(button("Use as request", file.name, () => {
            remove(at);
            places.get("request").add([file]);
          }));
        }
        buttons.append(button("Remove", file.name, () => {
          remove(at);
          say(`${file.name} removed. ${count()}`);
          (list.querySelectorAll("button")[0] || input).focus();
        }));
        item.append(buttons);
        return item;
      }));
      list.hidden = files.length === 0;
    };
    const remove = (at) => { files = files.filter((_, each) => each !== at); show(); };
    const add = (more) => {
      if (input.multiple) more.filter((file) => !files.some((each) => same(each, file))).forEach((file) => files.push(file));
      else files = more.slice(-1);
      show();
      say(`${more.map((file) => file.name).join(", ")} added${name === "request" ? " as request" : ""}. ${count()}`);
    };

    input.addEventListener("change", () => {
      const chosen = [...input.files];
      // A dialogue that was closed without a choice takes nothing away.
      if (chosen.length) add(chosen); else show();
    });

    let inside = 0;
    const mark = (step) => { inside = Math.max(0, inside + step); box.classList.toggle("over", inside > 0); };
    const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    box.addEventListener("dragenter", (event) => { if (hasFiles(event)) { event.preventDefault(); mark(1); } });
    box.addEventListener("dragleave", () => mark(-1));
    box.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
    box.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      inside = 0;
      mark(0);
      add([...event.dataTransfer.files]);
    });
    places.set(name, { add, count: () => files.length });
  };

  const count = () => {
    const evidence = places.get("evidence").count();
    return evidence === 1 ? "1 evidence file." : `${evidence} evidence files.`;
  };

  place("evidence");
  place("request");
  form.querySelectorAll(".scripted").forEach((each) => { each.hidden = false; });

  // A file that misses its place must not take the page away.
  ["dragover", "drop"].forEach((kind) => window.addEventListener(kind, (event) => {
    if ([...(event.dataTransfer?.types || [])].includes("Files")) event.preventDefault();
  }));

  const send = form.querySelector("button[type=submit]");
  form.addEventListener("submit", () => {
    say("Judging the evidence…");
    send.classList.add("busy");
    send.setAttribute("aria-disabled", "true");
  });
  send.addEventListener("click", (event) => { if (send.classList.contains("busy")) event.preventDefault(); });
  // Back from the answer, the form is ready again.
  window.addEventListener("pageshow", () => {
    say("");
    send.classList.remove("busy");
    send.removeAttribute("aria-disabled");
  });
})();
