// Files of a configuration are read here, handed to the API, and what it finds is listed.
export default {
  template: `
    <form class="gw-panel" @submit.prevent="send">
      <div class="gw-row">
        <div class="gw-field long"><label for="gw-files">The YAML file and the point lists that it names</label>
          <input id="gw-files" ref="files" type="file" multiple accept=".yaml,.yml,.csv,.xlsx" required></div>
        <button type="submit" class="gw-button strong" :disabled="busy">Check</button>
      </div>
      <p class="gw-said" role="status" aria-live="polite" :data-state="state">{{ said }}</p>
      <div v-if="flaws.length" class="gw-table half" tabindex="0" role="region" aria-label="what is wrong">
        <table><caption class="gw-hidden">What is wrong</caption>
          <thead><tr><th scope="col">File</th><th scope="col" class="num">Line</th><th scope="col" class="num">Column</th><th scope="col">What was found, and what is allowed</th></tr></thead>
          <tbody><tr v-for="(f, i) in flaws" :key="i" data-state="bad"><th scope="row">{{ f.file }}</th><td class="num">{{ f.line }}</td><td class="num">{{ f.column }}</td><td class="wide">{{ f.sentence }}</td></tr></tbody>
        </table>
      </div>
    </form>`,
  props: { csrf: String },
  data: () => ({ busy: false, said: "", state: null, flaws: [] }),
  methods: {
    async send() {
      this.busy = true;
      this.flaws = [];
      this.tell("… checking", null);
      try {
        const chosen = [...this.$refs.files.files];
        // The YAML first: the others are looked for by name.
        chosen.sort((a, b) => /\.ya?ml$/i.test(b.name) - /\.ya?ml$/i.test(a.name));
        const files = await Promise.all(chosen.map(async (file) => ({ name: file.name, base64: await base64(file) })));
        const headers = { "Content-Type": "application/json" };
        if (this.csrf) headers["X-CSRF-Token"] = this.csrf;
        const body = JSON.stringify({ files });
        const answer = await fetch("/api/v1/configuration/check", { method: "POST", headers, body });
        const found = await answer.json();
        if (!answer.ok) return this.tell(`✕ ${found.detail || answer.status}`, "bad");
        this.flaws = found.flaws;
        if (found.valid) this.tell(`● valid: ${found.sources} sources, ${found.sinks} sinks, ${found.points} points`, "good");
        else this.tell(`✕ ${found.flaws.length} found`, "bad");
      } catch (error) {
        this.tell(`✕ not checked: ${error.message}`, "bad");
      } finally {
        this.busy = false;
      }
    },
    tell(said, state) {
      this.said = said;
      this.state = state;
    },
  },
};

function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
}
