// Links as feeders of one bus: sources on the left, sinks on the right, each line in the colour of its state.
export default {
  template: `
    <div class="gw-feeders">
      <section v-for="side in [['sources', sources, 'Sources: from the field'], ['sinks', sinks, 'Sinks: to consumers']]"
          :key="side[0]" :class="side[0]" :aria-label="side[2]">
        <h2>{{ side[2] }}</h2>
        <ul>
          <li v-for="link in side[1]" :key="link.name" :data-state="link.state">
            <a :href="link.href" class="card">
              <span class="name"><b>{{ link.name }}</b> <small>{{ link.type }}</small></span>
              <span class="state"><span aria-hidden="true">{{ link.symbol }}</span> {{ link.said }}</span>
              <dl><div v-for="f in link.facts" :key="f[0]" :data-state="f[2] || null"><dt>{{ f[0] }}</dt><dd>{{ f[1] }}</dd></div></dl>
              <span v-if="link.error" class="error">{{ link.error }}</span>
            </a>
            <span class="line" aria-hidden="true"></span>
          </li>
        </ul>
        <p v-if="side[1].length === 0" class="gw-empty">none</p>
      </section>
      <div class="bus"><h2>{{ gateway }}</h2><dl><div v-for="f in facts" :key="f[0]" :data-state="f[2] || null"><dt>{{ f[0] }}</dt><dd>{{ f[1] }}</dd></div></dl></div>
    </div>`,
  props: { sources: Array, sinks: Array, gateway: String, facts: Array, seq: Number },
  mounted() {
    this.$emit("shown", this.seq);
  },
  watch: {
    seq(value) {
      this.$nextTick(() => this.$emit("shown", value));
    },
  },
};
