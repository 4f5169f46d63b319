// A table with real headers, of which only the rows in sight are here; the others are two spacers.
export default {
  template: `
    <div class="gw-table" ref="box" tabindex="0" role="region" :aria-label="label" @scroll.passive="scrolled">
      <table :aria-rowcount="total + 1">
        <caption class="gw-hidden">{{ label }}</caption>
        <thead ref="head"><tr aria-rowindex="1">
          <th v-for="c in columns" :key="c.key" scope="col" :class="[c.num ? 'num' : '', c.less ? 'less' : '']"
              :aria-sort="c.sort ? (c.key !== sorted ? 'none' : falling ? 'descending' : 'ascending') : null">
            <button v-if="c.sort" type="button" @click="$emit('sort', c.key)">{{ c.label }}<span aria-hidden="true">{{
              c.key !== sorted ? '' : falling ? ' ▼' : ' ▲' }}</span></button>
            <template v-else>{{ c.label }}</template>
          </th>
        </tr></thead>
        <tbody>
          <tr v-if="first > 0" class="gap" aria-hidden="true"><td :colspan="columns.length" :style="{height: first * height + 'px'}"></td></tr>
          <tr v-for="(row, i) in rows" :key="row.id" :aria-rowindex="first + i + 2" :data-state="row.state || null"
              :style="windowed ? {height: height + 'px'} : null" :data-id="row.id">
            <component v-for="(c, n) in columns" :is="n === 0 ? 'th' : 'td'" :key="c.key" :scope="n === 0 ? 'row' : null"
                :class="[c.num ? 'num' : '', c.less ? 'less' : '', c.wide ? 'wide' : '', c.mono ? 'mono' : '']"
                :data-state="c.stated ? row.state || null : null">
              <button v-if="c.button && row.cells[n]" type="button" class="gw-button" :disabled="!!row.off"
                  @click="$emit('press', {id: row.id, key: c.key})" :aria-label="row.cells[n] + ' ' + row.cells[0]">{{ row.cells[n] }}</button>
              <a v-else-if="c.link && row.href" :href="row.href" @click="follow">{{ row.cells[n] }}</a>
              <template v-else>{{ row.cells[n] }}</template>
            </component>
          </tr>
          <tr v-if="total > first + rows.length && windowed" class="gap" aria-hidden="true"><td :colspan="columns.length"
              :style="{height: (total - first - rows.length) * height + 'px'}"></td></tr>
        </tbody>
      </table>
      <p v-if="total === 0" class="gw-empty">{{ empty }}</p>
    </div>`,
  props: {
    columns: Array, rows: Array, total: Number, first: Number, label: String, empty: String,
    windowed: Boolean, height: Number, sorted: String, falling: Boolean, seq: Number,
  },
  mounted() {
    if (this.windowed) {
      this.watcher = new ResizeObserver(() => this.ask());
      this.watcher.observe(this.$refs.box);
    }
    this.$emit("shown", this.seq);
  },
  unmounted() {
    this.watcher?.disconnect();
    clearTimeout(this.waiting);
  },
  watch: {
    seq(value) {
      this.$nextTick(() => this.$emit("shown", value));
    },
  },
  methods: {
    scrolled() {
      if (!this.windowed || this.waiting) return;
      this.waiting = setTimeout(() => {
        this.waiting = null;
        this.ask();
      }, 80);
    },
    ask() {
      const box = this.$refs.box;
      const spare = 15;
      const first = Math.max(0, Math.floor(box.scrollTop / this.height) - spare);
      const count = Math.ceil(box.clientHeight / this.height) + 2 * spare;
      if (first === this.asked?.first && count === this.asked?.count) return;
      this.asked = { first, count };
      this.$emit("window", this.asked);
    },
    top() {
      this.$refs.box.scrollTop = 0;
    },
    follow() {},
  },
};
