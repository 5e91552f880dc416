package mnistjax.device.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import mnistjax.device.DeviceException;
import mnistjax.device.Given;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.api.Test;

/** Drawings and photos become the images that Python makes of them, byte by byte. */
class PixelsTest {
    @Test
    void drawingsAndPhotosAreThoseOfPython() throws Exception {
        JSONArray cases = new JSONArray(new String(Given.bytes("pixels/cases.json"), "UTF-8"));
        int refused = 0;
        for (int number = 0; number < cases.length(); number++) {
            JSONObject about = cases.getJSONObject(number);
            int[] argb = argb(Given.bytes("pixels/" + number + ".pixels"));
            ImageSpec spec = spec(about);
            if (about.has("error")) {
                String said =
                        assertThrows(
                                        DeviceException.class,
                                        () -> spec.image(argb, about.getInt("width")))
                                .getMessage();
                assertEquals("the image " + about.getString("error"), said);
                refused++;
                continue;
            }
            byte[] expected = Given.bytes("pixels/" + number + ".image");
            assertArrayEquals(expected, spec.image(argb, about.getInt("width")), "case " + number);
        }
        assertEquals(true, cases.length() > 100 && refused >= 3);
    }

    @Test
    void whatHasNoWholeRowsIsRefused() {
        ImageSpec spec = new ImageSpec(28, 28, 1, null);
        Given.assertRefused("has 10 pixels, expected whole rows", () -> spec.image(new int[10], 4));
        Given.assertRefused("has 0 pixels, expected whole rows", () -> spec.image(new int[0], 4));
        Given.assertRefused("has 10 pixels, expected whole", () -> spec.image(new int[10], 0));
    }

    @Test
    void aDrawingIsNotChanged() throws Exception {
        int[] argb = new int[40 * 40];
        java.util.Arrays.fill(argb, 0xffffffff);
        argb[40 * 20 + 20] = 0xff000000;
        int[] before = argb.clone();
        new ImageSpec(28, 28, 1, new DrawingSpec(20, 28, true)).image(argb, 40);
        assertArrayEquals(before, argb);
    }

    @Test
    void levelsBecomeFloatsAsInPython() {
        float[] floats = ImageSpec.floats(new byte[] {0, 1, 127, (byte) 128, (byte) 255});
        float[] expected = {0, 1 / 255f, 127 / 255f, 128 / 255f, 1};
        assertArrayEquals(expected, floats);
        assertFalse(new ImageSpec(2, 3, 3, null).isDrawn());
        assertEquals(18, new ImageSpec(2, 3, 3, null).size());
    }

    private static ImageSpec spec(JSONObject about) {
        JSONArray shape = about.getJSONArray("shape");
        DrawingSpec drawing = null;
        if (!about.isNull("drawing")) {
            JSONObject found = about.getJSONObject("drawing");
            boolean byMass = found.getString("centre").equals("mass");
            drawing = new DrawingSpec(found.getInt("size"), found.getInt("field"), byMass);
        }
        return new ImageSpec(shape.getInt(0), shape.getInt(1), shape.getInt(2), drawing);
    }

    private static int[] argb(byte[] rgba) {
        int[] argb = new int[rgba.length / 4];
        for (int i = 0; i < argb.length; i++) {
            argb[i] =
                    (rgba[4 * i + 3] & 255) << 24
                            | (rgba[4 * i] & 255) << 16
                            | (rgba[4 * i + 1] & 255) << 8
                            | rgba[4 * i + 2] & 255;
        }
        return argb;
    }
}
