package mnistjax.device.internal;

import java.util.HashSet;
import java.util.List;
import mnistjax.device.images.DrawingSpec;
import mnistjax.device.images.ImageSpec;

/** What manifests of both kinds of packages have in common. */
public final class Forms {
    private Forms() {}

    /**
     * Reads {@code image_shape} and {@code drawing}.
     *
     * @param fields that have them
     * @return what images they describe
     * @throws FormException they are not there, or describe no images
     */
    public static ImageSpec imageSpec(Fields fields) throws FormException {
        long[] shape = fields.wholeNumbers("image_shape");
        boolean isShape = shape.length == 3 && Math.min(shape[0], shape[1]) > 0;
        if (!isShape || shape[0] > 4096 || shape[1] > 4096 || (shape[2] != 1 && shape[2] != 3)) {
            throw new FormException(
                    "has an image_shape that is not height, width, and 1 or 3 channels");
        }
        DrawingSpec drawing = null;
        if (fields.has("drawing")) {
            Fields found = fields.object("drawing");
            int field = found.wholeNumber("field", 1);
            int size = found.wholeNumber("size", 1);
            String centre = found.text("centre");
            if (size > field || !(centre.equals("mass") || centre.equals("box"))) {
                throw new FormException(
                        "has a drawing of size "
                                + size
                                + " in a field of "
                                + field
                                + " with its "
                                + centre
                                + " in the middle, expected a size up to that of the field, and"
                                + " mass or box");
            }
            drawing = new DrawingSpec(size, field, centre.equals("mass"));
        }
        return new ImageSpec((int) shape[0], (int) shape[1], (int) shape[2], drawing);
    }

    /**
     * Reads names of classes.
     *
     * @param fields that have them
     * @param key of the list
     * @return the names
     * @throws FormException there are none, or two alike
     */
    public static List<String> labels(Fields fields, String key) throws FormException {
        List<String> labels = fields.texts(key);
        if (labels.isEmpty() || new HashSet<>(labels).size() < labels.size()) {
            throw new FormException("has " + key + " that are not different names");
        }
        return labels;
    }

    /**
     * Reads the name of a file.
     *
     * @param fields that have it
     * @param key of the name
     * @return a name without a folder
     * @throws FormException it is none
     */
    public static String fileName(Fields fields, String key) throws FormException {
        String name = fields.text(key);
        if (name.isEmpty() || name.contains("/") || name.contains("\\") || name.startsWith("..")) {
            throw new FormException("has \"" + name + "\", which is no name of a file beside it");
        }
        return name;
    }
}
