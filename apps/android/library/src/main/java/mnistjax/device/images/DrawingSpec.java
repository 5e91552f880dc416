package mnistjax.device.images;

/** How a data set's images were made of single figures: the values of {@code drawing}. */
public final class DrawingSpec {
    private final int size;
    private final int field;
    private final boolean byMass;

    /**
     * Makes one.
     *
     * @param size of the figure's longer side, in pixels of a field of {@code field} times that
     * @param field to which {@code size} refers
     * @param byMass whether the figure's centre of mass lies in the middle, and not that of its box
     */
    public DrawingSpec(int size, int field, boolean byMass) {
        this.size = size;
        this.field = field;
        this.byMass = byMass;
    }

    /**
     * Says how large a figure is.
     *
     * @return its longer side's share of the field's side
     */
    public double share() {
        return (double) size / field;
    }

    /**
     * Says what lies in the middle.
     *
     * @return whether it is the centre of mass
     */
    public boolean byMass() {
        return byMass;
    }
}
