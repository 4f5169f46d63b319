// A phasor diagram: arrows from the middle, the longest one of each unit to the rim.
export default {
  template: `
    <figure class="gw-phasors">
      <svg viewBox="-120 -120 240 240" role="img" :aria-label="label">
        <circle cx="0" cy="0" r="100" class="rim" /><circle cx="0" cy="0" r="50" class="rim" />
        <line x1="-110" y1="0" x2="110" y2="0" class="rim" /><line x1="0" y1="-110" x2="0" y2="110" class="rim" />
        <g v-for="p in phasors" :key="p.name" :class="['arrow', p.kind, p.good ? '' : 'old']">
          <line x1="0" y1="0" :x2="p.x" :y2="p.y" />
          <circle :cx="p.x" :cy="p.y" r="2.6" />
          <text :x="p.x * 1.13" :y="p.y * 1.13 + 3" text-anchor="middle">{{ p.name }}</text>
        </g>
      </svg>
    </figure>`,
  props: { phasors: Array, label: String, seq: Number },
  mounted() {
    this.$emit("shown", this.seq);
  },
  watch: {
    seq(value) {
      this.$nextTick(() => this.$emit("shown", value));
    },
  },
};
