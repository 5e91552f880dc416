package mnistjax.device.internal;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.json.JSONTokener;

/**
 * A JSON object, of which every value is read as one type or not at all.
 *
 * <p>Android's org.json turns texts into numbers and back where it is asked for the other, and that
 * on Maven Central does not: so values are taken as they are.
 */
public final class Fields {
    private final JSONObject object;
    private final String path;

    private Fields(JSONObject object, String path) {
        this.object = object;
        this.path = path;
    }

    /**
     * Reads a text that is a JSON object.
     *
     * @param text with nothing but spaces behind the object
     * @return the object
     * @throws FormException it is none
     */
    public static Fields parse(String text) throws FormException {
        Object value = value(text);
        if (!(value instanceof JSONObject)) {
            throw new FormException("is no object in JSON");
        }
        return new Fields((JSONObject) value, "");
    }

    /**
     * Reads a text that is a JSON list of texts.
     *
     * @param text with nothing but spaces behind the list
     * @return its texts
     * @throws FormException it is none
     */
    public static List<String> parseTexts(String text) throws FormException {
        List<String> texts = texts(value(text));
        if (texts == null) {
            throw new FormException("is no list of texts in JSON");
        }
        return texts;
    }

    private static Object value(String text) throws FormException {
        try {
            JSONTokener tokener = new JSONTokener(text);
            Object value = tokener.nextValue();
            if (tokener.nextClean() != 0) {
                throw new FormException("is no JSON (there is something behind its end)");
            }
            return value;
        } catch (JSONException error) {
            throw new FormException("is no JSON (" + error.getMessage() + ")");
        } catch (StackOverflowError error) {
            throw new FormException("is no JSON (it is nested too deeply)");
        }
    }

    /**
     * Lists the keys.
     *
     * @return all of them
     */
    public List<String> keys() {
        List<String> keys = new ArrayList<>();
        for (Iterator<String> each = object.keys(); each.hasNext(); ) {
            keys.add(each.next());
        }
        return keys;
    }

    /**
     * Says whether there is anything but null.
     *
     * @param key of the object
     * @return whether it has such a value
     */
    public boolean has(String key) {
        return !object.isNull(key);
    }

    /**
     * Reads a text.
     *
     * @param key of the object
     * @return its value
     * @throws FormException it is not there, or no text
     */
    public String text(String key) throws FormException {
        Object value = object.opt(key);
        if (!(value instanceof String)) {
            throw wrong(key, "a text");
        }
        return (String) value;
    }

    /**
     * Reads a whole number.
     *
     * @param key of the object
     * @param least that it may be
     * @return its value
     * @throws FormException it is not there, or no such number
     */
    public int wholeNumber(String key, int least) throws FormException {
        double value = number(key);
        if (value != Math.rint(value) || value < least || value > Integer.MAX_VALUE) {
            throw wrong(key, "a whole number of " + least + " or more");
        }
        return (int) value;
    }

    /**
     * Reads a number.
     *
     * @param key of the object
     * @return its value
     * @throws FormException it is not there, or no number
     */
    public double number(String key) throws FormException {
        Object value = object.opt(key);
        if (!(value instanceof Number)) {
            throw wrong(key, "a number");
        }
        return ((Number) value).doubleValue();
    }

    /**
     * Reads a list of whole numbers.
     *
     * @param key of the object
     * @return its values, from 0 on
     * @throws FormException it is not there, or no such list
     */
    public long[] wholeNumbers(String key) throws FormException {
        Object value = object.opt(key);
        int length = value instanceof JSONArray ? ((JSONArray) value).length() : 0;
        long[] numbers = new long[length];
        for (int i = 0; i < length; i++) {
            Object each = ((JSONArray) value).opt(i);
            double number = each instanceof Number ? ((Number) each).doubleValue() : -1;
            if (number != Math.rint(number) || number < 0 || number > 1L << 53) {
                throw wrong(key, "a list of whole numbers");
            }
            numbers[i] = (long) number;
        }
        if (!(value instanceof JSONArray)) {
            throw wrong(key, "a list of whole numbers");
        }
        return numbers;
    }

    /**
     * Reads a list of texts.
     *
     * @param key of the object
     * @return its values
     * @throws FormException it is not there, or no such list
     */
    public List<String> texts(String key) throws FormException {
        List<String> texts = texts(object.opt(key));
        if (texts == null) {
            throw wrong(key, "a list of texts");
        }
        return texts;
    }

    /**
     * Reads an object within this one.
     *
     * @param key of the object
     * @return its value
     * @throws FormException it is not there, or no object
     */
    public Fields object(String key) throws FormException {
        Object value = object.opt(key);
        if (!(value instanceof JSONObject)) {
            throw wrong(key, "an object");
        }
        return new Fields((JSONObject) value, path + key + ".");
    }

    /**
     * Reads a list of objects.
     *
     * @param key of the object
     * @return its values
     * @throws FormException it is not there, or no such list
     */
    public List<Fields> objects(String key) throws FormException {
        Object value = object.opt(key);
        List<Fields> objects = new ArrayList<>();
        for (int i = 0; value instanceof JSONArray && i < ((JSONArray) value).length(); i++) {
            Object each = ((JSONArray) value).opt(i);
            if (!(each instanceof JSONObject)) {
                throw wrong(key + "." + i, "an object");
            }
            objects.add(new Fields((JSONObject) each, path + key + "." + i + "."));
        }
        if (!(value instanceof JSONArray)) {
            throw wrong(key, "a list");
        }
        return objects;
    }

    /** Returns a list's texts, or null where it is no list of such. */
    private static List<String> texts(Object value) {
        int length = value instanceof JSONArray ? ((JSONArray) value).length() : -1;
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            Object each = ((JSONArray) value).opt(i);
            if (each instanceof String) {
                texts.add((String) each);
            }
        }
        return texts.size() == length ? texts : null;
    }

    private FormException wrong(String key, String expected) {
        String what = has(key) ? "that is not" : "missing, expected";
        return new FormException("has " + path + key + " " + what + " " + expected);
    }
}
