"use strict";
// Draws the timeline of each scenario from the recordings in #data. No dependency, nothing fetched.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const STATES = { P: "pending", A: "active", PA: "active and pending" };
  const CLASSES = { P: "pending", A: "active", PA: "both" };
  const ASKED = {
    UIE: "at most one list register is in use (UIE)", NPIE: "none holds a pending interrupt (NPIE)",
    LRENPIE: "something ends that none holds (LRENPIE)", TDIR: "the guest writes DIR (TDIR)",
  };
  const WIDTHS = [26, 36, 46, 54, 66, 84, 110];
  const OVERFLOW_ROWS = 6;
  const hex = (priority) => "0x" + priority.toString(16).padStart(2, "0");

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "style") for (const [key, one] of Object.entries(value)) made.style.setProperty(key, one);
      else made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  // The views of a play by event: recordings keep only what changes.
  function views(play) {
    const now = {};
    return play.events.map((event) => {
      Object.assign(now, event.views);
      return { ...now };
    });
  }

  function signalled(view) {
    if (!view.virq && !view.vfiq) return null;
    const waiting = view.lr.filter((lr) => lr && lr.st === "P");
    return waiting.length ? waiting.reduce((a, b) => (b.pr < a.pr ? b : a)).id : null;
  }

  function worst(view) {
    const weights = (view.diff || []).map(([, weight]) => weight);
    return weights.includes("wrong") ? "wrong" : weights.length ? "late" : "";
  }

  function sentence(event) {
    const words = event.text.split(" ");
    if (event.kind === "device") return `A device raises ${words[0]}.`;
    if (event.kind === "step" && words[0] === "inj") return `Devices raise ${words.slice(1).join(", ")}.`;
    if (event.kind === "step") return `From outside: ${event.text}.`;
    if (event.kind === "note") return event.text === "sleeps" ? "The guest sleeps (WFI)." : `${event.text}.`;
    if (event.kind === "entry") {
      const asked = event.bits.split(" ").map((bit) => ASKED[bit]).filter((text) => text);
      return `The hypervisor enters the guest${asked.length ? `, and asks for an exit when ${asked.join("; ")}` : ""}.`;
    }
    if (event.kind === "exit") {
      const misr = event.misr || [];
      const why = misr.length
        ? `maintenance interrupt, ${misr.map((bit) => `${bit}: ${data.misr[bit] || bit}`).join("; ")}`
        : { KICK: "a device needs attention", WFI: "the guest waits", TRAP: `trapped ${event.detail || "access"}`,
            MMIO: `distributor access`, SGI: "the guest sends an SGI" }[event.causes[0]] || event.text;
      const walked = event.walked ? ` It deactivates ${event.walked.join(" and ")} in memory.` : "";
      return `Exit: ${why}.${walked}`;
    }
    const [name, second, third] = words;
    if (name.startsWith("IAR")) return third === "none" ? "The guest finds nothing to acknowledge." : `The guest acknowledges ${third}.`;
    if (name.startsWith("EOIR")) return `The guest ends ${second}.`;
    if (name === "DIR") return `The guest deactivates ${second}.`;
    if (name === "WFI") return "The guest waits for an interrupt (WFI).";
    if (name === "NOP") return "The guest works.";
    return `The guest: ${event.text}.`;
  }

  function short(event) {
    const words = event.text.split(" ");
    if (event.kind === "op") {
      if (words[0].startsWith("IAR")) return words[2] === "none" ? "IAR -" : `IAR ${words[2]}`;
      if (words[0].startsWith("EOIR")) return `EOI ${words[1]}`;
    }
    return event.text;
  }

  class Timeline {
    constructor(section) {
      this.section = section;
      const story = data.stories[Number(section.dataset.story)];
      this.plays = story.plays;
      this.columns = story.columns;
      this.count = this.columns[0].length;
      this.views = this.plays.map(views);
      this.width = 3;
      this.column = 0;
      this.box = section.querySelector(".timeline");
      this.moment = section.querySelector(".moment");
      this.draw();
      this.listen();
      this.marks = this.differences();
      this.go(0, false);
    }

    event(play, column) { return this.plays[play].events[this.columns[play][column]] || null; }
    view(play, column, vcpu) { return (this.views[play][this.columns[play][column]] || {})[vcpu] || null; }
    fresh(play, column) {
      const at = this.columns[play][column];
      return at >= 0 && (column === 0 || this.columns[play][column - 1] !== at);
    }
    // The first column after a play's last event.
    ended(play) {
      const last = this.plays[play].events.length - 1;
      const shown = this.columns[play][this.count - 1];
      return this.columns[play].findIndex((at) => at === Math.min(last, shown)) + 1;
    }

    differences() {
      const found = [];
      for (let column = 0; column < this.count; column++) {
        const wrong = (c) => this.plays.some((play, p) => {
          const event = this.event(p, c);
          if (event && event.bad && this.fresh(p, c)) return true;
          return Array.from({ length: play.vcpus }, (_, v) => this.view(p, c, v)).some((view) => view && worst(view) === "wrong");
        });
        if (wrong(column) && (column === 0 || !wrong(column - 1) || this.plays.some((_, p) => this.fresh(p, column) && this.event(p, column).bad))) found.push(column);
      }
      return found;
    }

    lane(label, kind) {
      return element("div", { class: `lane ${kind || ""}` }, element("span", { class: "label", title: label }, label));
    }

    bar(lane, column, width, kind, text, title) {
      const made = element("div", { class: `bar ${kind}`, style: { "--c": column, "--n": width }, title: title || text });
      made.append(element("span", {}, text));
      made.dataset.column = column;
      lane.append(made);
      return made;
    }

    // One bar for each stretch of columns in which `value` gives the same [key, kind, text, title].
    bars(lane, until, value) {
      let from = 0, before = null;
      for (let column = 0; column <= until; column++) {
        const now = column < until ? value(column) : null;
        if (column && (!now || !before || now[0] !== before[0])) {
          if (before) {
            const wide = column - from > 1;
            this.bar(lane, from, column - from, before[1], wide ? before[3] || before[2] : before[2], before[4] || before[3]);
          }
          from = column;
        }
        if (!now || !before || now[0] !== before[0]) from = column;
        before = now;
      }
    }

    draw() {
      const sheet = element("div", { class: "sheet", style: { "--count": this.count } });
      sheet.style.minWidth = `calc(var(--label) + ${this.count} * var(--w))`;
      const head = this.lane("devices", "head");
      for (let column = 0; column < this.count; column++) {
        const outside = this.plays.map((_, p) => (this.fresh(p, column) ? this.event(p, column) : null))
          .find((event) => event && (event.kind === "step" || event.kind === "device"));
        if (outside) this.bar(head, column, Math.max(1, Math.min(3, Math.ceil(outside.text.length / 7))), "device", outside.text.replace(/^inj /, "↓ "), sentence(outside));
      }
      sheet.append(head);
      this.plays.forEach((play, p) => sheet.append(this.drawPlay(play, p)));
      this.cursor = element("div", { class: "cursor", "aria-hidden": "true" });
      sheet.append(this.cursor);
      this.box.append(sheet);
    }

    drawPlay(play, p) {
      const panel = element("div", { class: "play" }, element("h4", {}, `${play.profile}`));
      panel.dataset.play = p;
      const badge = this.section.querySelectorAll(".card .badge")[p];
      panel.firstChild.append(badge.cloneNode(true));
      const until = this.ended(p);
      for (let vcpu = 0; vcpu < play.vcpus; vcpu++) this.drawVcpu(panel, play, p, vcpu, until);
      return panel;
    }

    drawVcpu(panel, play, p, vcpu, until) {
      const who = play.vcpus > 1 ? ` ${vcpu}` : "";
      const add = (label, kind) => { const lane = this.lane(label, kind); panel.append(lane); return lane; };
      const guest = add(`guest${who}`, "first"), hypervisor = add("hypervisor");
      for (let column = 0; column < until; column++) {
        const event = this.fresh(p, column) ? this.event(p, column) : null;
        if (!event || event.vcpu !== vcpu) continue;
        const bad = event.bad ? " wrong" : "";
        const title = sentence(event) + (event.bad ? ` Wrong: ${event.bad}.` : "");
        if (event.kind === "op") this.bar(guest, column, 1, "op" + bad, short(event), title);
        else if (event.kind === "note") this.bar(guest, column, 1, "op", event.text, title);
        else if (event.kind === "exit") this.bar(hypervisor, column, 1, event.bad ? "wrong" : "exit", event.text, title);
        else if (event.kind === "entry") this.bar(hypervisor, column, 1, "enter", "enter", title);
      }
      if (until < this.count) {
        const text = { "live-lock": "and so on for ever", storm: "and so on for ever" }[play.verdict] || "";
        if (text) this.bar(guest, until, this.count - until, "ended", text, text);
      }
      const held = (entry) => entry && [`${entry.id}${entry.st}`, CLASSES[entry.st], `${entry.id}`, `${entry.id} ${STATES[entry.st]}, priority ${hex(entry.pr)}${entry.hw ? ", hardware interrupt" : ""}`];
      for (let n = 0; n < play.lrs; n++) {
        this.bars(add(`LR${n}`, n ? "" : "first"), until, (column) => { const view = this.view(p, column, vcpu); return view && held(view.lr[n]); });
      }
      const over = (column) => (this.view(p, column, vcpu) || { over: [] }).over;
      let rows = 0;
      for (let column = 0; column < until; column++) rows = Math.max(rows, over(column).length);
      for (let n = 0; n < Math.max(1, Math.min(rows, OVERFLOW_ROWS)); n++) {
        this.bars(add(n ? "" : rows > OVERFLOW_ROWS ? `overflow list (of ${rows})` : "overflow list", n ? "" : "first"), until, (column) => {
          const found = held(over(column)[n]);
          return found && [found[0], `${found[1]} over`, found[2], found[3]];
        });
      }
      this.bars(add("hardware signals", "first"), until, (column) => {
        const view = this.view(p, column, vcpu), intid = view && signalled(view);
        return intid === null || intid === undefined ? null : [`${intid}`, "signal", `${intid}`];
      });
      if (!play.ideal) return;
      const ideal = (column) => (this.view(p, column, vcpu) || {}).ideal;
      this.bars(add("ideal GIC signals"), until, (column) => {
        const one = ideal(column);
        return one && one.sig.length ? [one.sig.join(), "signal", one.sig.join(" or ")] : null;
      });
      this.bars(add("ideal: pending"), until, (column) => {
        const one = ideal(column), text = one && one.pend.map(([intid]) => intid).join(" ");
        return text ? [text, "ideal", text] : null;
      });
      this.bars(add("ideal: handling"), until, (column) => {
        const one = ideal(column), text = one && one.act.join(" ");
        return text ? [text, "ideal", text] : null;
      });
      this.bars(add("difference"), until, (column) => {
        const view = this.view(p, column, vcpu), weight = view && worst(view);
        if (!weight) return null;
        const text = view.diff.map(([one]) => one).join("; ");
        return weight === "wrong" ? [text, weight, "!", `! ${text}`] : [text, weight, "~", "~ late", `late: ${text}`];
      });
    }

    listen() {
      const moves = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10 };
      this.box.addEventListener("keydown", (key) => {
        if (key.ctrlKey || key.metaKey || key.altKey) return;
        if (key.key in moves) this.go(this.column + moves[key.key]);
        else if (key.key === "Home") this.go(0);
        else if (key.key === "End") this.go(this.count - 1);
        else if (key.key === "n") this.difference(1);
        else if (key.key === "p") this.difference(-1);
        else if (key.key === "+" || key.key === "=") this.resize(1);
        else if (key.key === "-") this.resize(-1);
        else return;
        key.preventDefault();
      });
      this.box.addEventListener("click", (click) => {
        const box = this.box.getBoundingClientRect();
        const label = parseFloat(getComputedStyle(this.box).getPropertyValue("--label"));
        const x = click.clientX - box.left + this.box.scrollLeft - label;
        if (click.clientX - box.left > label) this.go(Math.floor(x / WIDTHS[this.width]));
      });
      const actions = {
        start: () => this.go(0), end: () => this.go(this.count - 1), back: () => this.go(this.column - 1),
        on: () => this.go(this.column + 1), difference: () => this.difference(1),
        wider: () => this.resize(1), narrower: () => this.resize(-1),
      };
      for (const button of this.section.querySelectorAll("[data-go]")) button.addEventListener("click", actions[button.dataset.go]);
      for (const box of this.section.querySelectorAll("[data-shows]")) {
        box.addEventListener("change", () => {
          this.box.querySelector(`.play[data-play="${box.dataset.shows}"]`).hidden = !box.checked;
          this.tell();
        });
      }
      for (const button of this.section.querySelectorAll(".jump")) {
        button.addEventListener("click", () => {
          const play = Number(button.dataset.play), event = Number(button.dataset.event);
          const column = this.columns[play].findIndex((at) => at >= event);
          this.box.scrollIntoView({ block: "nearest" });
          this.go(column < 0 ? this.count - 1 : column);
          this.box.focus({ preventScroll: true });
          const panel = this.box.querySelector(`.play[data-play="${play}"]`);
          this.box.scrollTop = panel.offsetTop - 26;
        });
      }
    }

    resize(by) {
      this.width = Math.max(0, Math.min(WIDTHS.length - 1, this.width + by));
      this.box.style.setProperty("--w", `${WIDTHS[this.width]}px`);
      this.go(this.column);
    }

    difference(by) {
      const found = by > 0 ? this.marks.find((column) => column > this.column) : this.marks.findLast((column) => column < this.column);
      if (found !== undefined) this.go(found);
      else if (this.marks.length) this.go(by > 0 ? this.marks[0] : this.marks[this.marks.length - 1]);
    }

    go(column, scroll = true) {
      this.column = Math.max(0, Math.min(this.count - 1, column));
      this.section.dataset.column = this.column;
      this.cursor.style.setProperty("--c", this.column);
      if (scroll) {
        const width = WIDTHS[this.width], label = parseFloat(getComputedStyle(this.box).getPropertyValue("--label"));
        const left = this.column * width, room = this.box.clientWidth - label;
        if (left < this.box.scrollLeft || left + width > this.box.scrollLeft + room) this.box.scrollLeft = left - room / 2;
      }
      this.tell();
    }

    tell() {
      const where = this.section.querySelector("[data-where]");
      const marks = this.marks ? this.marks.length : 0;
      where.textContent = `event ${this.column + 1} of ${this.count}` + (marks ? `, ${marks} ${marks === 1 ? "difference" : "differences"}` : "");
      const shown = this.plays.map((play, p) => ({ play, p })).filter(({ p }) => {
        const box = this.section.querySelector(`[data-shows="${p}"]`);
        return box.checked;
      });
      this.moment.replaceChildren(...shown.map(({ play, p }) => this.card(play, p)));
    }

    card(play, p) {
      const event = this.event(p, this.column), over = this.column >= this.ended(p);
      const card = element("div", {}, element("h4", {}, play.profile));
      if (!event) { card.append(element("p", { class: "soft" }, "Nothing has happened yet.")); return card; }
      const said = over && play.verdict === "live-lock" ? "The loop goes round for ever."
        : over ? "Nothing happens any more." : this.fresh(p, this.column) ? sentence(event) : "(waits for the others)";
      card.append(element("p", {}, said));
      if (event.bad && this.fresh(p, this.column)) card.append(element("p", {}, element("span", { class: "say wrong" }, `✗ ${event.bad}`)));
      for (const one of this.fresh(p, this.column) ? event.expects || [] : []) {
        const holds = one.found === null;
        card.append(element("p", { class: holds ? "soft" : "" }, `${holds ? "✓" : "✗"} ${one.text}${holds ? "" : `: ${one.found}`}`));
      }
      for (let vcpu = 0; vcpu < play.vcpus; vcpu++) {
        const view = this.view(p, this.column, vcpu);
        if (view) this.state(card, play, view, play.vcpus > 1 ? `vCPU${vcpu} ` : "");
      }
      return card;
    }

    state(card, play, view, who) {
      const slot = (entry, kind) => element("span", { class: `slot ${CLASSES[entry.st]} ${kind}`, title: `${STATES[entry.st]}, priority ${hex(entry.pr)}` },
        `${entry.id}`, element("small", {}, `${entry.st} ${hex(entry.pr)}`));
      const slots = element("div", { class: "slots" });
      if (who) slots.append(element("span", { class: "beside" }, who));
      view.lr.forEach((lr, n) => slots.append(lr ? slot(lr, "") : element("span", { class: "slot empty" }, "–", element("small", {}, `LR${n}`))));
      if (view.over.length) slots.append(element("span", { class: "beside" }, "overflow"), ...view.over.map((entry) => slot(entry, "over")));
      card.append(slots);
      const hardware = signalled(view);
      const facts = [`hardware signals ${hardware === null ? "nothing" : hardware}`];
      if (view.eoi) facts.push(`EOIcount ${view.eoi}`);
      if (view.mi) facts.push("maintenance interrupt high");
      facts.push(view.run === 255 ? "running priority idle" : `running priority ${hex(view.run)}`);
      card.append(element("p", { class: "soft" }, facts.join(" · ")));
      if (view.ideal) {
        const one = view.ideal;
        const text = [`ideal GIC signals ${one.sig.join(" or ") || "nothing"}`];
        if (one.pend.length) text.push(`pending ${one.pend.map(([intid]) => intid).join(" ")}`);
        if (one.act.length) text.push(`handling ${one.act.join(" ")}`);
        card.append(element("p", { class: "soft" }, text.join(" · ")));
      }
      for (const [text, weight] of view.diff || []) {
        card.append(element("p", {}, element("span", { class: `say ${weight}` }, `${weight === "wrong" ? "✗" : "~ late:"} ${text}`)));
      }
    }
  }

  for (const section of document.querySelectorAll(".story")) new Timeline(section);
})();
